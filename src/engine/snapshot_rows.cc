#include "src/engine/snapshot_rows.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "src/common/block_pool.h"
#include "src/common/cancellation.h"
#include "src/common/row_groups.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;
using TablePtr = std::shared_ptr<arrow::Table>;

/// Batches that are put in order at a time: enough that most of them can be given out.
constexpr int64_t kMergedBatches = 2;

/// Of a batch, about: texts may be of any length.
constexpr int64_t kBatchBytes = 8 << 20;

enum class Order { kByTimeAndKeys, kByKeys };

arrow::Result<std::shared_ptr<arrow::Array>> PositionsInOrder(const TablePtr& table,
                                                              size_t key_count, Order order,
                                                              arrow::MemoryPool* pool) {
  const int keys = static_cast<int>(key_count);
  std::vector<cp::SortKey> sort_keys;
  if (order == Order::kByTimeAndKeys) sort_keys.emplace_back(arrow::FieldRef(keys));
  for (int key = 0; key < keys; ++key) sort_keys.emplace_back(arrow::FieldRef(key));
  cp::ExecContext context(pool);
  return cp::SortIndices(table, cp::SortOptions(std::move(sort_keys)), &context);
}

arrow::Result<TablePtr> Taken(const TablePtr& table, const std::shared_ptr<arrow::Array>& rows,
                              arrow::MemoryPool* pool) {
  cp::ExecContext context(pool);
  VIAND_ASSIGN_OR_RETURN(const auto taken,
                         cp::Take(table, rows, cp::TakeOptions::NoBoundsCheck(), &context));
  return taken.table();
}

/// How many rows, ascending by time, are before a time.
int64_t RowsBefore(const arrow::ChunkedArray& times, int64_t time_us) {
  int64_t before = 0;
  for (const auto& chunk : times.chunks()) {
    const int64_t* begin = static_cast<const arrow::TimestampArray&>(*chunk).raw_values();
    const int64_t* end = begin + chunk->length();
    const int64_t* found = std::lower_bound(begin, end, time_us);
    before += found - begin;
    if (found != end) break;
  }
  return before;
}

/// The rows of a part at one time: [first, last).
std::pair<int64_t, int64_t> RowsAt(const arrow::ChunkedArray& times, int64_t cutoff_us) {
  const int64_t first = RowsBefore(times, cutoff_us);
  const bool is_last = cutoff_us == std::numeric_limits<int64_t>::max();
  return {first, is_last ? times.length() : RowsBefore(times, cutoff_us + 1)};
}

/// Merges parts of one time, each ordered by keys, by putting in order the next rows of all.
class MergedParts {
 public:
  MergedParts(Tables parts, size_t key_count, int64_t merged_rows)
      : parts_(std::move(parts)),
        next_(parts_.size(), 0),
        key_count_(key_count),
        rows_each_(std::max<int64_t>(
            1, merged_rows / std::max<int64_t>(1, static_cast<int64_t>(parts_.size())))) {}

  /// The next rows; null at the end.
  arrow::Result<TablePtr> Next() {
    Tables windows;
    std::vector<size_t> owners;
    bool all = true;
    for (size_t part = 0; part < parts_.size(); ++part) {
      const int64_t left = parts_[part]->num_rows() - next_[part];
      if (left == 0) continue;
      windows.push_back(parts_[part]->Slice(next_[part], std::min(left, rows_each_)));
      owners.push_back(part);
      all = all && left <= rows_each_;
    }
    if (windows.empty()) return nullptr;
    VIAND_ASSIGN_OR_RETURN(TablePtr joined, arrow::ConcatenateTables(windows));
    if (windows.size() == 1) {
      next_[owners[0]] += joined->num_rows();
      return joined;
    }
    VIAND_ASSIGN_OR_RETURN(joined, joined->CombineChunks(ProcessPool()));
    VIAND_ASSIGN_OR_RETURN(auto order,
                           PositionsInOrder(joined, key_count_, Order::kByKeys, ProcessPool()));
    order = order->Slice(0, GivenOut(windows, owners, *order, all));
    return Taken(joined, order, ProcessPool());
  }

 private:
  /// How many rows, in order, come before all that is not in the windows; moves past them.
  int64_t GivenOut(const Tables& windows, const std::vector<size_t>& owners,
                   const arrow::Array& order, bool all) {
    const uint64_t* positions = static_cast<const arrow::UInt64Array&>(order).raw_values();
    std::vector<uint64_t> ends;
    uint64_t end = 0;
    for (const TablePtr& window : windows)
      ends.push_back(end += static_cast<uint64_t>(window->num_rows()));
    std::vector<bool> goes_on(windows.size());
    for (size_t i = 0; i < windows.size(); ++i)
      goes_on[i] =
          !all && next_[owners[i]] + windows[i]->num_rows() < parts_[owners[i]]->num_rows();
    for (int64_t given = 0; given < order.length(); ++given) {
      const auto window = static_cast<size_t>(
          std::upper_bound(ends.begin(), ends.end(), positions[given]) - ends.begin());
      ++next_[owners[window]];
      if (goes_on[window] && positions[given] + 1 == ends[window]) return given + 1;
    }
    return order.length();
  }

  const Tables parts_;
  std::vector<int64_t> next_;
  const size_t key_count_;
  const int64_t rows_each_;
};

arrow::Result<TablePtr> WithTypes(const TablePtr& table,
                                  const std::shared_ptr<arrow::Schema>& schema, size_t key_count) {
  auto columns = table->columns();
  for (size_t key = 0; key < key_count; ++key) {
    const auto& type = schema->field(static_cast<int>(key))->type();
    if (columns[key]->type()->Equals(*type)) continue;
    arrow::ArrayVector chunks;
    for (const auto& chunk : columns[key]->chunks()) {
      VIAND_ASSIGN_OR_RETURN(auto restored, RestoreType(chunk, type, ProcessPool()));
      chunks.push_back(std::move(restored));
    }
    columns[key] = std::make_shared<arrow::ChunkedArray>(std::move(chunks), type);
  }
  return arrow::Table::Make(schema, std::move(columns), table->num_rows());
}

/// Of the values of a row, on average: of the rows alone, whatever parts they are in.
int64_t MeanRowBytes(const Tables& parts) {
  int64_t bytes = 0, rows = 0;
  for (const TablePtr& part : parts) {
    rows += part->num_rows();
    bytes += BytesOfRows(*part);
  }
  return bytes / std::max<int64_t>(1, rows) + 1;
}

/// As many rows as were asked for, or fewer where they are long.
int64_t BatchRows(const Tables& parts, int64_t most_rows) {
  return std::clamp<int64_t>(kBatchBytes / MeanRowBytes(parts), 1, most_rows);
}

/// Batches of what was merged, with the result's types.
class MergedRows final : public arrow::RecordBatchReader {
 public:
  MergedRows(Tables parts, std::shared_ptr<arrow::Schema> schema, size_t key_count,
             int64_t batch_rows)
      : parts_(std::move(parts), key_count, kMergedBatches * batch_rows),
        schema_(std::move(schema)),
        key_count_(key_count),
        batch_rows_(batch_rows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    while (!at_end_ && waiting_rows_ < batch_rows_) {
      VIAND_ASSIGN_OR_RETURN(TablePtr merged, parts_.Next());
      at_end_ = merged == nullptr;
      if (at_end_) break;
      waiting_rows_ += merged->num_rows();
      waiting_.push_back(std::move(merged));
    }
    *batch = nullptr;
    if (waiting_rows_ == 0) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(const TablePtr joined, arrow::ConcatenateTables(waiting_));
    const int64_t rows = std::min(waiting_rows_, batch_rows_);
    VIAND_ASSIGN_OR_RETURN(TablePtr table, joined->Slice(0, rows)->CombineChunks(ProcessPool()));
    VIAND_ASSIGN_OR_RETURN(table, WithTypes(table, schema_, key_count_));
    VIAND_ASSIGN_OR_RETURN(*batch, table->CombineChunksToBatch(ProcessPool()));
    waiting_ = {joined->Slice(rows)};
    waiting_rows_ -= rows;
    return arrow::Status::OK();
  }

 private:
  MergedParts parts_;
  const std::shared_ptr<arrow::Schema> schema_;
  const size_t key_count_;
  const int64_t batch_rows_;
  Tables waiting_;
  int64_t waiting_rows_ = 0;
  bool at_end_ = false;
};

}  // namespace

arrow::Result<TablePtr> InSnapshotOrder(const TablePtr& table, size_t key_count,
                                        arrow::MemoryPool* pool) {
  VIAND_ASSIGN_OR_RETURN(const auto whole, table->CombineChunks(pool));
  VIAND_ASSIGN_OR_RETURN(const auto positions,
                         PositionsInOrder(whole, key_count, Order::kByTimeAndKeys, pool));
  return Taken(whole, positions, pool);
}

SnapshotRows::SnapshotRows(std::shared_ptr<arrow::Schema> schema, size_t key_count, Tables parts,
                           int64_t batch_rows)
    : schema_(std::move(schema)),
      key_count_(key_count),
      parts_(std::move(parts)),
      batch_rows_(batch_rows) {}

arrow::Result<std::unique_ptr<arrow::RecordBatchReader>> SnapshotRows::At(int64_t cutoff_us) const {
  Tables of_cutoff;
  for (const TablePtr& part : parts_) {
    const auto [first, last] = RowsAt(*part->column(static_cast<int>(key_count_)), cutoff_us);
    if (first < last) of_cutoff.push_back(part->Slice(first, last - first));
  }
  const int64_t batch_rows = BatchRows(of_cutoff, batch_rows_);
  return std::make_unique<MergedRows>(std::move(of_cutoff), schema_, key_count_, batch_rows);
}

int64_t SnapshotRows::BatchBytes() const {
  const int64_t row_bytes = MeanRowBytes(parts_);
  return std::min(row_bytes * batch_rows_, std::max(kBatchBytes, row_bytes));
}

arrow::Result<TablePtr> SnapshotRows::Whole() const {
  if (parts_.empty()) return arrow::Table::MakeEmpty(schema_, ProcessPool());
  VIAND_ASSIGN_OR_RETURN(const auto joined, arrow::ConcatenateTables(parts_));
  VIAND_ASSIGN_OR_RETURN(const auto ordered, InSnapshotOrder(joined, key_count_, ProcessPool()));
  return WithTypes(ordered, schema_, key_count_);
}

Tables CutAtTimes(const TablePtr& rows, size_t key_count, const std::vector<int64_t>& times_us) {
  Tables result;
  int64_t first = 0;
  for (const int64_t time_us : times_us) {
    const int64_t next = RowsBefore(*rows->column(static_cast<int>(key_count)), time_us);
    result.push_back(rows->Slice(first, next - first));
    first = next;
  }
  result.push_back(first == 0 ? rows : rows->Slice(first));
  return result;
}

ParquetOptions SnapshotEncoding() { return {.encoding = ParquetEncoding::kQuick}; }

arrow::Result<int64_t> WriteSnapshot(arrow::RecordBatchReader* rows, ParquetOutput* output) {
  int64_t count = 0;
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const auto batch, rows->Next());
    if (batch == nullptr) return count;
    count += batch->num_rows();
    // Parts are written side by side: a small one is not worth threads of its own.
    VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches({batch}));
    VIAND_RETURN_NOT_OK(output->Write(*table));
  }
}

}  // namespace viand::engine
