// Columns that a file does not hold, with one value for all of its rows: what its folders spell
// (hive_partition.h), and nulls for a column that only other files of the source have.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class MemoryPool;
class RecordBatch;
}  // namespace arrow

namespace viand::engine {

/// Puts constants between the columns of batches. Not thread-safe; keeps no pointers.
class ConstantColumns {
 public:
  /// `constants` has one row, or is null. A name that it has is taken from it, the others are read.
  ConstantColumns(const std::vector<std::string>& columns,
                  std::shared_ptr<arrow::RecordBatch> constants);

  bool empty() const { return constants_ == nullptr; }
  /// The names to read from the file, in the order of the columns.
  const std::vector<std::string>& read() const { return read_; }
  /// Picks of what is parallel to the columns that which is parallel to read().
  std::vector<bool> OfRead(const std::vector<bool>& flags) const;

  /// Returns all columns for a batch of what was read.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Complete(
      const std::shared_ptr<arrow::RecordBatch>& batch, arrow::MemoryPool* pool) const;

 private:
  std::vector<std::string> columns_;
  std::shared_ptr<arrow::RecordBatch> constants_;  // null where none is wanted
  std::vector<int> places_;                        // parallel to columns_: of constants_, or -1
  std::vector<std::string> read_;
};

}  // namespace viand::engine
