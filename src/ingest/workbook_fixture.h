// Workbooks for tests: a zip writer that stores or deflates, and parts put together from sheet XML.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viand::ingest::testing {

using Parts = std::vector<std::pair<std::string, std::string>>;

struct ZipOptions {
  bool deflate = true;
  bool zip64 = false;
  uint16_t flags = 0;
};

/// `window_bits` as zlib has them: negative makes bare DEFLATE, 16 more than the size gzip.
inline std::string Compressed(std::string_view text, int window_bits) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string Deflated(std::string_view text) { return Compressed(text, -15); }
inline std::string Gzipped(std::string_view text) { return Compressed(text, 15 + 16); }

template <typename T>
void Put(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

inline std::string Zip(const Parts& parts, const ZipOptions& options = {}) {
  std::string out, directory;
  for (const auto& part : parts) {
    const std::string& name = part.first;
    const std::string& text = part.second;
    const std::string content = options.deflate ? Deflated(text) : text;
    const auto crc =
        static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
    const uint64_t offset = out.size();
    const auto common = [&](std::string* to, bool zip64) {
      Put<uint16_t>(to, 20);
      Put<uint16_t>(to, options.flags);
      Put<uint16_t>(to, options.deflate ? 8 : 0);
      Put<uint32_t>(to, 0);
      Put<uint32_t>(to, crc);
      Put<uint32_t>(to, zip64 ? 0xffffffff : content.size());
      Put<uint32_t>(to, zip64 ? 0xffffffff : text.size());
      Put<uint16_t>(to, name.size());
    };
    Put<uint32_t>(&out, 0x04034b50);
    common(&out, false);
    Put<uint16_t>(&out, 0);
    out += name + content;
    Put<uint32_t>(&directory, 0x02014b50);
    Put<uint16_t>(&directory, 20);
    common(&directory, options.zip64);
    Put<uint16_t>(&directory, options.zip64 ? 28 : 0);
    directory.append(10, '\0');
    Put<uint32_t>(&directory, options.zip64 ? 0xffffffff : offset);
    directory += name;
    if (options.zip64) {
      Put<uint16_t>(&directory, 1);
      Put<uint16_t>(&directory, 24);
      Put<uint64_t>(&directory, text.size());
      Put<uint64_t>(&directory, content.size());
      Put<uint64_t>(&directory, offset);
    }
  }
  const uint64_t start = out.size();
  out += directory;
  if (options.zip64) {
    const uint64_t end64 = out.size();
    Put<uint32_t>(&out, 0x06064b50);
    Put<uint64_t>(&out, 44);
    out.append(12, '\0');
    Put<uint64_t>(&out, parts.size());
    Put<uint64_t>(&out, parts.size());
    Put<uint64_t>(&out, directory.size());
    Put<uint64_t>(&out, start);
    Put<uint32_t>(&out, 0x07064b50);
    Put<uint32_t>(&out, 0);
    Put<uint64_t>(&out, end64);
    Put<uint32_t>(&out, 1);
  }
  Put<uint32_t>(&out, 0x06054b50);
  Put<uint32_t>(&out, 0);
  Put<uint16_t>(&out, options.zip64 ? 0xffff : parts.size());
  Put<uint16_t>(&out, options.zip64 ? 0xffff : parts.size());
  Put<uint32_t>(&out, directory.size());
  Put<uint32_t>(&out, options.zip64 ? 0xffffffff : start);
  Put<uint16_t>(&out, 0);
  return out;
}

/// What a workbook is made of: rows as XML, and what they refer to.
struct BookOptions {
  std::string strings;                                               ///< `<si>` elements
  std::string formats;                                               ///< `<numFmt>` elements
  std::string styles = "<xf numFmtId=\"0\"/><xf numFmtId=\"22\"/>";  ///< of cellXfs: s=1 is a date
  std::string properties;                                            ///< attributes of workbookPr
  std::string second_rows;                                           ///< of a hidden sheet "Second"
  ZipOptions zip;
};

inline std::string SheetXml(const std::string& rows) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<worksheet xmlns=\"http://x\"><dimension "
         "ref=\"A1\"/><sheetData>" +
         rows + "</sheetData><pageMargins left=\"1\"/></worksheet>";
}

inline Parts BookParts(const std::string& rows, const BookOptions& options = {}) {
  const std::string head = "<?xml version=\"1.0\"?>";
  return {
      {"_rels/.rels", head +
                          "<Relationships><Relationship Id=\"r1\" Type=\"http://o/officeDocument\" "
                          "Target=\"xl/workbook.xml\"/></Relationships>"},
      {"xl/workbook.xml",
       head + "<workbook><workbookPr " + options.properties +
           "/><sheets><sheet name=\"First\" sheetId=\"1\" r:id=\"rId1\"/><sheet name=\"Second\" "
           "state=\"hidden\" sheetId=\"2\" r:id=\"rId2\"/></sheets></workbook>"},
      {"xl/_rels/workbook.xml.rels",
       head + "<Relationships>"
              "<Relationship Id=\"rId1\" Type=\"http://o/worksheet\" "
              "Target=\"worksheets/sheet1.xml\"/>"
              "<Relationship Id=\"rId2\" Type=\"http://o/worksheet\" "
              "Target=\"/xl/worksheets/sheet2.xml\"/>"
              "<Relationship Id=\"rId3\" Type=\"http://o/styles\" Target=\"styles.xml\"/>"
              "<Relationship Id=\"rId4\" Type=\"http://o/sharedStrings\" "
              "Target=\"sharedStrings.xml\"/>"
              "</Relationships>"},
      {"xl/styles.xml", head + "<styleSheet><numFmts>" + options.formats + "</numFmts><cellXfs>" +
                            options.styles + "</cellXfs></styleSheet>"},
      {"xl/sharedStrings.xml", head + "<sst>" + options.strings + "</sst>"},
      {"xl/worksheets/sheet1.xml", SheetXml(rows)},
      {"xl/worksheets/sheet2.xml", SheetXml(options.second_rows)},
  };
}

inline std::string Book(const std::string& rows, const BookOptions& options = {}) {
  return Zip(BookParts(rows, options), options.zip);
}

/// A folder of its own for the files of one test.
class TestFolder {
 public:
  explicit TestFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("viand_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }

  std::string Path(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return Path(name);
  }
  std::string root() const { return path_.string(); }

 private:
  const std::filesystem::path path_;
};

}  // namespace viand::ingest::testing
