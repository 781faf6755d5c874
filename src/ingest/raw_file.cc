#include "src/ingest/raw_file.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/ingest/inflate_stream.h"
#include "src/ingest/mapped_file.h"

namespace viand::ingest {
namespace {

/// In the order of RawFormat.
const std::vector<std::string>& Formats() {
  static const std::vector<std::string> formats = {"xlsx", "csv", "json", "parquet"};
  return formats;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

arrow::Result<RawFormat> FormatOf(const std::string& path, const std::string& declared) {
  std::string format = Lower(declared);
  if (format.empty()) {
    std::string name = Lower(path.substr(path.rfind('/') + 1));
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    const size_t dot = name.rfind('.');
    format = dot == std::string::npos ? "" : name.substr(dot + 1);
  }
  if (format == "jsonl" || format == "ndjson") format = "json";
  if (format == "xlsm") format = "xlsx";
  if (format == "tsv") format = "csv";
  if (format == "csv.gz") format = "csv";
  if (format == "pq") format = "parquet";
  const auto& formats = Formats();
  const auto known = std::find(formats.begin(), formats.end(), format);
  if (known != formats.end()) return static_cast<RawFormat>(known - formats.begin());
  if (declared.empty()) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("cannot tell the format of {} by its extension", path),
                     "set `format`: xlsx, csv, json or parquet");
  }
  const std::string nearest = DidYouMean(format, formats);
  return MakeError(
      ErrorKind::kDefinition,
      fmt::format("unknown format \"{}\"; expected xlsx, csv, json or parquet", declared), nearest);
}

arrow::Result<std::unique_ptr<RawFile>> RawFile::Open(const std::string& path,
                                                      const definition::DatasetInput& input,
                                                      const RawFileOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const RawFormat format, FormatOf(path, input.format));
  switch (format) {
    case RawFormat::kWorkbook:
      return OpenSheetFile(path, input, options);
    case RawFormat::kCsv:
      return OpenCsvFile(path, input, options);
    case RawFormat::kJson:
      return OpenJsonFile(path, options);
    case RawFormat::kParquet:
      return OpenParquetFile(path);
  }
  return arrow::Status::NotImplemented("format");
}

std::shared_ptr<arrow::DataType> RawFile::TypeOf(size_t) const { return nullptr; }

std::string RawFile::DescribeRow(int64_t row) const { return fmt::format(", line {}", row); }

std::string RawFile::DescribePlace(int64_t row, int column) const {
  return fmt::format("{}, column \"{}\"", DescribeRow(row), selected_[column]);
}

arrow::Status RawFile::ResolveNames(const std::vector<std::string>& names,
                                    std::vector<int>* slots) {
  slots->assign(header_.size(), -1);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = std::find(header_.begin(), header_.end(), names[i]);
    if (found == header_.end()) {
      const std::string nearest = DidYouMean(names[i], header_);
      return MakeError(ErrorKind::kInput,
                       fmt::format("{} has no column \"{}\"; it has \"{}\"", Describe(), names[i],
                                   fmt::join(header_, "\", \"")),
                       nearest);
    }
    if (std::find(found + 1, header_.end(), names[i]) != header_.end()) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{} has column \"{}\" twice", Describe(), names[i]),
                       "give each column a name of its own");
    }
    (*slots)[found - header_.begin()] = static_cast<int>(i);
  }
  selected_ = names;
  return arrow::Status::OK();
}

arrow::Status RefuseUtf16(const std::string& path, std::string_view start) {
  // Without a byte order mark the zero half of an ordinary first character tells.
  const bool zero = start.size() >= 2 && (start[0] == '\0') != (start[1] == '\0');
  if (!zero && !start.starts_with("\xFF\xFE") && !start.starts_with("\xFE\xFF"))
    return arrow::Status::OK();
  return MakeError(ErrorKind::kInput, path + " is encoded as UTF-16; expected UTF-8",
                   "convert the file: iconv -f UTF-16 -t UTF-8");
}

arrow::Result<std::unique_ptr<ByteStream>> OpenTextStream(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> file, MappedFile::Open(path));
  const std::string_view bytes = file->bytes();
  if (bytes.empty()) return MakeError(ErrorKind::kInput, path + " is empty");
  if (bytes.starts_with(std::string_view("PK\x03\x04", 4))) {
    return MakeError(ErrorKind::kInput, path + " is a zip file; expected text",
                     "if it is a workbook, set `format`: xlsx");
  }
  if (bytes.starts_with("\x1F\x8B")) return MakeGzipStream(bytes, std::move(file), path);
  return std::make_unique<MemoryStream>(bytes, std::move(file));
}

}  // namespace viand::ingest
