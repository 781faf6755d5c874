// The rows that a tree is evaluated over: a batch, or a selection of its rows (the branch of a
// case).
#pragma once

#include <arrow/datum.h>

#include <map>
#include <memory>
#include <vector>

#include "src/expression/expression.h"

namespace arrow {
class Array;
class MemoryPool;
class RecordBatch;
}  // namespace arrow

namespace viand::expression {

/// Evaluates trees over its rows. Caches converted and selected columns; not thread-safe.
class BatchRows {
 public:
  BatchRows(const arrow::RecordBatch& batch, std::shared_ptr<arrow::Array> as_of,
            arrow::MemoryPool* pool);

  /// Returns the rows of these at `positions`, an int64 array. The result refers to this.
  BatchRows Select(const std::shared_ptr<arrow::Array>& positions);

  int64_t count() const { return count_; }
  arrow::MemoryPool* pool() const { return pool_; }
  /// Returns the place in the batch of the i-th row.
  int64_t RowInBatch(int64_t i) const;

  /// Returns a scalar (for all rows) or an array of count() values, of the tree's type.
  arrow::Result<arrow::Datum> Evaluate(const Expression& expression);
  /// The same, as an array.
  arrow::Result<std::shared_ptr<arrow::Array>> EvaluateArray(const Expression& expression);

 private:
  BatchRows() = default;
  arrow::Result<std::shared_ptr<arrow::Array>> Column(const Expression& expression);
  arrow::Result<std::shared_ptr<arrow::Array>> AsOf(const Expression& expression);
  arrow::Result<arrow::Datum> Call(const Expression& expression);
  arrow::Status Explain(const Expression& expression, const std::vector<arrow::Datum>& args,
                        const arrow::Status& failure) const;
  /// Tells people which row is the i-th: by its time, or by its columns that `failed` does not
  /// show.
  std::string NameRow(int64_t i, const Expression& failed) const;

  const arrow::RecordBatch* batch_ = nullptr;
  std::shared_ptr<arrow::Array> as_of_;
  BatchRows* parent_ = nullptr;
  std::shared_ptr<arrow::Array> positions_;
  int64_t count_ = 0;
  arrow::MemoryPool* pool_ = nullptr;
  std::map<int, std::shared_ptr<arrow::Array>> columns_;
};

/// Tells whether evaluating the tree can fail for some row.
bool CanFail(const Expression& expression);

}  // namespace viand::expression
