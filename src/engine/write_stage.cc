#include "src/engine/write_stage.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/common/cancellation.h"
#include "src/engine/part_file.h"

namespace viand::engine {
namespace {

/// A part's rows in memory: enough for row groups that compress well, few enough that every core
/// has several parts of a table that takes a while.
constexpr int64_t kPartBytes = 32 << 20;
/// Every piece of a lookup is cut into as many tables as there are parts, so there are not more
/// than so many, unless one would be too large.
constexpr int64_t kWantedParts = 64;
constexpr int64_t kMostPartBytes = 512 << 20;
/// Parts are whole row groups.
constexpr int64_t kGroupRows = 64 * 1024;

class WriteStage {
 public:
  WriteStage(const Spine& spine, std::vector<FoundFeatures> found, const PartLayout& layout,
             const ExecuteOptions& options)
      : spine_(spine), found_(std::move(found)), layout_(layout), options_(options) {}

  arrow::Result<PartFiles> Write() {
    PartFiles result{.schema = ResultSchema(spine_, found_)};
    VIAND_ASSIGN_OR_RETURN(const auto outputs, Run(result.schema));
    for (const TableReference& output : outputs) {
      VIAND_ASSIGN_OR_RETURN(const auto written, options_.executor->Fetch(output));
      VIAND_ASSIGN_OR_RETURN(const auto files, FilesOf(*written, 1));
      result.files.push_back(files[0]);
    }
    return result;
  }

  arrow::Result<HeldRows> Hold() {
    HeldRows result{.schema = ResultSchema(spine_, found_),
                    .tables = {},
                    .time = spine_.time,
                    .range = spine_.range,
                    .keys = spine_.keys};
    VIAND_ASSIGN_OR_RETURN(result.tables, Run(result.schema));
    return result;
  }

 private:
  /// The output of each chunk.
  arrow::Result<std::vector<TableReference>> Run(const std::shared_ptr<arrow::Schema>& result) {
    VIAND_RETURN_NOT_OK(MakeCalls(result));
    VIAND_ASSIGN_OR_RETURN(
        auto outputs, options_.executor->RunStage(IsFile(layout_.format) ? "write" : "put together",
                                                  std::move(calls_), options_.progress, nullptr));
    VIAND_RETURN_NOT_OK(CheckUnchanged(spine_.scan));
    std::vector<TableReference> tables;
    for (auto& of_chunk : outputs) tables.push_back(std::move(of_chunk[0]));
    return tables;
  }

  arrow::Status MakeCalls(const std::shared_ptr<arrow::Schema>& result) {
    const FileColumns spine = FileColumnsOf(spine_);
    WriteFragment prototype{.file_columns = spine.file_columns,
                            .result = result,
                            .described_as = spine_.described_as,
                            .format = layout_.format,
                            .rows_at_a_time = layout_.rows_at_a_time};
    for (const FoundFeatures& lookup : found_)
      prototype.lookups.push_back({.columns = lookup.columns, .missing = lookup.missing});
    for (int chunk = 0; chunk < layout_.chunks.count; ++chunk) {
      FragmentCall call;
      WriteFragment write = prototype;
      write.first_row = chunk * layout_.chunks.rows_each;
      const bool last = chunk + 1 == layout_.chunks.count;
      write.rows =
          (last ? spine_.rows : write.first_row + layout_.chunks.rows_each) - write.first_row;
      write.path = PathOf(chunk);
      if (spine_.scan.table != nullptr) {
        VIAND_ASSIGN_OR_RETURN(auto rows, options_.executor->Put(spine_.scan.table->Slice(
                                              write.first_row, write.rows)));
        call.inputs.push_back(std::move(rows));
      } else if (spine_.scan.held != nullptr) {
        TablesOfRows found = TablesWith(*spine_.scan.held, write.first_row, write.rows);
        write.spine_tables = static_cast<int>(found.tables.size());
        write.skipped_rows = found.skipped_rows;
        call.inputs = std::move(found.tables);
      } else {
        PartsOfRows found = PartsWith(spine_, write.first_row, write.rows);
        write.parts = std::move(found.parts);
        write.skipped_rows = found.skipped_rows;
      }
      for (size_t i = 0; i < found_.size(); ++i)
        TakePieces(chunk, &found_[i], &write.lookups[i], &call.inputs, write.rows);
      call.fragment = std::move(write);
      calls_.push_back(std::move(call));
    }
    return arrow::Status::OK();
  }

  std::string PathOf(int chunk) const {
    if (!IsFile(layout_.format)) return "";
    const bool parquet = layout_.format == PartFormat::kParquet;
    return PathIn(layout_.folder,
                  fmt::format("part-{:05}.{}", chunk, parquet ? "parquet" : "arrows"));
  }

  static void TakePieces(int chunk, FoundFeatures* found, FoundTables* taken,
                         std::vector<TableReference>* inputs, int64_t rows) {
    FragmentCounters* counters = nullptr;
    if (found->counters != nullptr) counters = &found->counters->fragments.emplace_back();
    if (counters != nullptr) counters->rows_out = rows;
    for (TableReference& piece : found->chunks[chunk]) {
      if (counters != nullptr) counters->rows_in += piece->rows();
      inputs->push_back(std::move(piece));
      ++taken->tables;
    }
  }

  const Spine& spine_;
  std::vector<FoundFeatures> found_;
  const PartLayout& layout_;
  const ExecuteOptions& options_;
  std::vector<FragmentCall> calls_;
};

}  // namespace

RowChunks PartChunks(int64_t rows, int64_t row_bytes, int64_t most_bytes) {
  most_bytes = std::min(most_bytes, kMostPartBytes);
  const int64_t most = std::max(most_bytes / row_bytes, rows / kMaxRowChunks + 1);
  const int64_t wanted =
      std::max(std::min(most_bytes, kPartBytes) / row_bytes, std::min(rows / kWantedParts, most));
  const int64_t each =
      (std::max(wanted, rows / kMaxRowChunks + 1) + kGroupRows - 1) / kGroupRows * kGroupRows;
  return {.rows_each = each,
          .count = static_cast<int>(std::max<int64_t>((rows + each - 1) / each, 1))};
}

arrow::Result<PartFiles> RunWriteStage(const Spine& spine, std::vector<FoundFeatures> found,
                                       const PartLayout& layout, const ExecuteOptions& options) {
  return WriteStage(spine, std::move(found), layout, options).Write();
}

arrow::Result<HeldRows> RunHoldStage(const Spine& spine, std::vector<FoundFeatures> found,
                                     const RetrievedChunks& chunks, const ExecuteOptions& options) {
  const PartLayout layout{
      .format = PartFormat::kHeld, .chunks = chunks.dealt, .rows_at_a_time = chunks.rows_at_a_time};
  return WriteStage(spine, std::move(found), layout, options).Hold();
}

arrow::Status StoredRows::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  while (true) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    if (reader_ != nullptr) {
      VIAND_RETURN_NOT_OK(reader_->ReadNext(batch));
      if (*batch != nullptr) return arrow::Status::OK();
      reader_.reset();
    }
    if (next_ == parts_.files.size()) {
      *batch = nullptr;
      return arrow::Status::OK();
    }
    VIAND_ASSIGN_OR_RETURN(reader_, OpenIpcStreamPart(parts_.files[next_++].path));
  }
}

}  // namespace viand::engine
