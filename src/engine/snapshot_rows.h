// The rows of one view's grid, as fragments put them out: fetched and put in order one cutoff at a
// time, so that a grid larger than memory can be stored.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"
#include "src/common/parquet_output.h"
#include "src/engine/execute_fragment.h"

namespace arrow {
class MemoryPool;
class RecordBatchReader;
class Schema;
class Table;
}  // namespace arrow

namespace viand::engine {

class SnapshotRows {
 public:
  static constexpr int64_t kBatchRows = 64 << 10;

  /// `parts`: keys..., event_timestamp, features..., each ordered by (event_timestamp, keys); no
  /// two rows of them all are equal in these. `schema` is the result's: keys have their source's
  /// types. A reader's batches have `batch_rows`, or fewer of long rows, but for the last, whatever
  /// the parts are.
  SnapshotRows(std::shared_ptr<arrow::Schema> schema, size_t key_count, Tables parts,
               int64_t batch_rows = kBatchRows);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// About what the values of a batch take.
  int64_t BatchBytes() const;

  /// The rows of one cutoff, ordered by keys. Thread-safe; the reader must not outlive this.
  arrow::Result<std::unique_ptr<arrow::RecordBatchReader>> At(int64_t cutoff_us) const;

  /// All rows, ordered by (event_timestamp, keys).
  arrow::Result<std::shared_ptr<arrow::Table>> Whole() const;

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const size_t key_count_;
  const Tables parts_;
  const int64_t batch_rows_;
};

/// Orders keys..., event_timestamp, features... by (event_timestamp, keys).
arrow::Result<std::shared_ptr<arrow::Table>> InSnapshotOrder(
    const std::shared_ptr<arrow::Table>& table, size_t key_count, arrow::MemoryPool* pool);

/// Cuts rows in snapshot order before the first of each of these times, ascending, or of a later
/// one: a table more than times.
Tables CutAtTimes(const std::shared_ptr<arrow::Table>& rows, size_t key_count,
                  const std::vector<int64_t>& times_us);

/// Writes the rows of one cutoff as a stored part has them. The caller commits.
arrow::Result<int64_t> WriteSnapshot(arrow::RecordBatchReader* rows, ParquetOutput* output);

/// How such parts are encoded.
ParquetOptions SnapshotEncoding();

}  // namespace viand::engine
