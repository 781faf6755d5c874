// A file of JSON lines as a RawFile.
#include <utility>

#include "src/ingest/csv_scanner.h"
#include "src/ingest/json_scanner.h"
#include "src/ingest/limits.h"
#include "src/ingest/raw_file.h"

namespace viand::ingest {
namespace {

class JsonFile : public RawFile {
 public:
  JsonFile(const std::string& path, std::unique_ptr<ByteStream> stream, int64_t chunk_bytes,
           bool skip_bad_rows)
      : RawFile(path),
        skip_bad_rows_(skip_bad_rows),
        reader_(path, std::move(stream), chunk_bytes) {
    reader_.set_cut(FindLastLine);
  }

  bool has_header() const override { return false; }
  arrow::Status Select(const std::vector<std::string>& names) override {
    selected_ = names;
    scanner_ =
        std::make_unique<JsonScanner>(names.empty() ? JsonScanner::OfAllColumns(skip_bad_rows_)
                                                    : JsonScanner(names, skip_bad_rows_));
    return arrow::Status::OK();
  }
  arrow::Result<std::unique_ptr<Chunk>> Next() override {
    VIAND_ASSIGN_OR_RETURN(std::unique_ptr<Chunk> chunk, reader_.Next());
    if (!std::exchange(at_start_, false) || chunk == nullptr) return chunk;
    VIAND_RETURN_NOT_OK(RefuseUtf16(path_, chunk->bytes.view()));
    // Blanks are JSON's own white space, so a byte order mark can be blanked where it stands.
    if (chunk->bytes.view().starts_with("\xEF\xBB\xBF")) {
      for (int i = 0; i < 3; ++i) chunk->bytes.data()[i] = ' ';
    }
    return chunk;
  }
  CellTable Scan(const Chunk& chunk) const override { return scanner_->Scan(chunk.bytes.view()); }

 private:
  const bool skip_bad_rows_;
  ChunkReader reader_;
  std::unique_ptr<JsonScanner> scanner_;
  bool at_start_ = true;
};

}  // namespace

arrow::Result<std::unique_ptr<RawFile>> OpenJsonFile(const std::string& path,
                                                     const RawFileOptions& options) {
  VIAND_ASSIGN_OR_RETURN(std::unique_ptr<ByteStream> stream, OpenTextStream(path));
  const int64_t chunk_bytes = options.chunk_bytes > 0 ? options.chunk_bytes : kChunkBytes;
  return std::make_unique<JsonFile>(path, std::move(stream), chunk_bytes, options.skip_bad_rows);
}

}  // namespace viand::ingest
