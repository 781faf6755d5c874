// Evaluates a typed tree without aggregates over a batch of rows: Arrow kernels where their
// semantics are the same, checked arithmetic of ours elsewhere. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "src/expression/expression.h"

namespace arrow {
class Array;
class MemoryPool;
class RecordBatch;
}  // namespace arrow

namespace viand::expression {

/// Returns one value a row of `batch`, whose schema starts with the columns of the scope that bound
/// the tree. A failing row (overflow, a cast that does not fit) is kInput, naming the expression,
/// the value and the row in the batch. `as_of`, where the tree reads it, is a timestamp[us] array
/// of the batch's length.
arrow::Result<std::shared_ptr<arrow::Array>> EvaluateBatch(
    const Expression& expression, const arrow::RecordBatch& batch,
    const std::shared_ptr<arrow::Array>& as_of = nullptr, arrow::MemoryPool* pool = nullptr);

}  // namespace viand::expression
