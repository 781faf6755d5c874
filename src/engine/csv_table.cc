#include "src/engine/csv_table.h"

#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/compressed.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <functional>
#include <optional>

#include "src/common/data_location.h"
#include "src/common/disk_pool.h"
#include "src/engine/read_file.h"

namespace viand::engine {
namespace {

using TableResult = arrow::Result<std::shared_ptr<arrow::Table>>;
using OpenStream = std::function<arrow::Result<std::shared_ptr<arrow::io::InputStream>>()>;

constexpr size_t kShownCharacters = 60;
constexpr char kHint[] = "is it comma-separated text with a header?";

/// A row with the wrong number of cells.
struct OddRow {
  int64_t number = 0;
  int32_t cells = 0;
  int32_t expected = 0;
  std::string text;
};

/// Ends early where the memory for what was read has failed. (Not with an error: with one, Arrow's
/// reader may wait for itself for ever.)
class WatchedStream final : public arrow::io::InputStream {
 public:
  WatchedStream(std::shared_ptr<arrow::io::InputStream> stream, arrow::MemoryPool* pool)
      : stream_(std::move(stream)), pool_(pool) {}

  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    return HasFailed(pool_) ? 0 : stream_->Read(bytes, out);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    return stream_->Read(HasFailed(pool_) ? 0 : bytes);
  }
  arrow::Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  arrow::Result<int64_t> Tell() const override { return stream_->Tell(); }

 private:
  const std::shared_ptr<arrow::io::InputStream> stream_;
  arrow::MemoryPool* const pool_;
};

TableResult Parse(const OpenStream& open, const CsvTypes& types, bool use_threads,
                  std::optional<OddRow>* odd_row, arrow::MemoryPool* pool) {
  VIAND_ASSIGN_OR_RETURN(auto opened, open());
  auto stream = std::make_shared<WatchedStream>(std::move(opened), pool);
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = use_threads;
  auto parse = arrow::csv::ParseOptions::Defaults();
  if (odd_row != nullptr) {
    parse.invalid_row_handler = [odd_row](const arrow::csv::InvalidRow& row) {
      *odd_row = {row.number, row.actual_columns, row.expected_columns, std::string(row.text)};
      return arrow::csv::InvalidRowResult::Error;
    };
  }
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.column_types.insert(types.begin(), types.end());
  // No word (NA, NULL) is null.
  convert.null_values = {""};
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  VIAND_ASSIGN_OR_RETURN(
      auto reader, arrow::csv::TableReader::Make(arrow::io::IOContext(pool), std::move(stream),
                                                 read, parse, convert));
  auto table = reader->Read();
  VIAND_RETURN_NOT_OK(TakeFailureOf(pool));
  return table;
}

std::string Shown(const std::string& text) {
  return text.size() <= kShownCharacters ? text : text.substr(0, kShownCharacters) + "...";
}

/// Reads again on one thread, which alone counts rows, to say where it failed.
arrow::Status Explain(arrow::Status status, const OpenStream& open, const CsvTypes& types,
                      const std::string& what, arrow::MemoryPool* pool) {
  std::optional<OddRow> odd_row;
  const auto again = Parse(open, types, false, &odd_row, pool);
  if (odd_row) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("cannot read {}: row {} has {} cells, the header has {}: {}", what,
                    odd_row->number, odd_row->cells, odd_row->expected, Shown(odd_row->text)),
        "a cell with a comma in it stands in quotes");
  }
  if (!again.ok()) status = again.status();
  return MakeError(ErrorKind::kInput, fmt::format("cannot read {}: {}", what, status.message()),
                   kHint);
}

TableResult Read(const OpenStream& open, const CsvTypes& types, const std::string& what,
                 arrow::MemoryPool* pool) {
  auto table = Parse(open, types, true, nullptr, pool);
  if (table.ok() || KindOf(table.status()) != ErrorKind::kInput) return table;
  return Explain(table.status(), open, types, what, pool);
}

}  // namespace

TableResult ReadCsvFile(const std::string& path, const CsvTypes& types,
                        const std::string& described_as, arrow::MemoryPool* pool) {
  const auto open = [&]() -> arrow::Result<std::shared_ptr<arrow::io::InputStream>> {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::io::InputStream> stream,
                           OpenDataFile(path, described_as));
    if (!ParseAddress(path).path.ends_with(".gz")) return stream;
    // The stream makes a decompressor of its own, so the codec may go.
    VIAND_ASSIGN_OR_RETURN(auto codec, arrow::util::Codec::Create(arrow::Compression::GZIP));
    return arrow::io::CompressedInputStream::Make(codec.get(), stream);
  };
  const std::string shown = DisplayPath(path);
  const bool named = described_as.find(shown) != std::string::npos;
  auto table = Read(open, types, named ? described_as : described_as + ", " + shown, pool);
  if (!table.ok() && KindOf(table.status()) == ErrorKind::kEnvironment)
    return StorageError(table.status(), path, described_as, kHint);
  return table;
}

TableResult ReadCsvText(const std::shared_ptr<arrow::Buffer>& text, const CsvTypes& types,
                        const std::string& described_as, arrow::MemoryPool* pool) {
  return Read([&text] { return std::make_shared<arrow::io::BufferReader>(text); }, types,
              described_as, pool);
}

}  // namespace viand::engine
