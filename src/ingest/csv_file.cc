// A CSV file as a RawFile.
#include <fmt/format.h>

#include "src/ingest/csv_scanner.h"
#include "src/ingest/limits.h"
#include "src/ingest/raw_file.h"

namespace viand::ingest {
namespace {

class CsvFile : public RawFile {
 public:
  CsvFile(const std::string& path, std::unique_ptr<ByteStream> stream, char delimiter,
          int64_t chunk_bytes, bool skip_bad_rows)
      : RawFile(path),
        delimiter_(delimiter),
        skip_bad_rows_(skip_bad_rows),
        reader_(path, std::move(stream), chunk_bytes) {}

  arrow::Status ReadHeader();

  arrow::Status Select(const std::vector<std::string>& names) override {
    std::vector<int> slots;
    VIAND_RETURN_NOT_OK(ResolveNames(names, &slots));
    scanner_ = std::make_unique<CsvScanner>(delimiter_, std::move(slots),
                                            static_cast<int>(names.size()), skip_bad_rows_);
    return arrow::Status::OK();
  }
  arrow::Result<std::unique_ptr<Chunk>> Next() override { return reader_.Next(); }
  CellTable Scan(const Chunk& chunk) const override {
    return scanner_->Scan(chunk.bytes.view(), chunk.last);
  }

 private:
  arrow::Status TakeHeader(CsvHeader header, std::string_view bytes);

  const char delimiter_;
  const bool skip_bad_rows_;
  ChunkReader reader_;
  std::unique_ptr<CsvScanner> scanner_;
};

arrow::Status CsvFile::ReadHeader() {
  PaddedBytes text(0);
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const std::unique_ptr<Chunk> chunk, reader_.Next());
    if (chunk != nullptr) text.Append(chunk->bytes.view());
    const bool last = chunk == nullptr || chunk->last;
    std::string_view bytes = text.view();
    VIAND_RETURN_NOT_OK(RefuseUtf16(path_, bytes));
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    CsvHeader header = CsvScanner::ReadHeader(bytes, delimiter_, last);
    if (header.bad_field > 0) {
      return MakeError(
          ErrorKind::kInput,
          fmt::format("{}, line {}: {}", path_, header.line, TextBehindQuote(header.bad_field)),
          kQuoteHint);
    }
    if (header.finished) return TakeHeader(std::move(header), bytes);
    if (last || text.size() > kMaxRowBytes) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{}, line {}: the header row does not end", path_, header.line),
                       "are quotes closed?");
    }
  }
}

/// Takes the names off a header that is whole; what is behind it goes back to the reader.
arrow::Status CsvFile::TakeHeader(CsvHeader header, std::string_view bytes) {
  if (header.names.empty())
    return MakeError(ErrorKind::kInput, path_ + " is empty; expected a header row");
  CellTable names(0);
  if (!CheckUtf8(bytes.substr(0, bytes.size() - header.rest.size()), &names)) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("{}, line {}: {}", path_, names.problem.row, names.problem.message),
        names.problem.hint);
  }
  reader_.PushBack(header.rest);
  reader_.set_cut(FindLastLine);
  header_ = std::move(header.names);
  first_base_ = header.lines;
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<RawFile>> OpenCsvFile(const std::string& path,
                                                    const definition::DatasetInput& input,
                                                    const RawFileOptions& options) {
  std::string delimiter = input.delimiter;
  const std::string name = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  if (delimiter == "," && name.ends_with(".tsv")) delimiter = "\t";
  if (delimiter.size() != 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r") {
    return MakeError(ErrorKind::kDefinition,
                     fmt::format("delimiter \"{}\" is not one ordinary character", delimiter),
                     "write \",\", \";\" or \"\\t\"");
  }
  VIAND_ASSIGN_OR_RETURN(std::unique_ptr<ByteStream> stream, OpenTextStream(path));
  const int64_t chunk_bytes = options.chunk_bytes > 0 ? options.chunk_bytes : kChunkBytes;
  auto file = std::make_unique<CsvFile>(path, std::move(stream), delimiter[0], chunk_bytes,
                                        options.skip_bad_rows);
  VIAND_RETURN_NOT_OK(file->ReadHeader());
  return file;
}

}  // namespace viand::ingest
