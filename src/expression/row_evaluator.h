// Evaluates a typed tree without aggregates over one row: for serving, and as the batch evaluator's
// oracle.
#pragma once

#include <cstdint>
#include <span>

#include "src/expression/expression.h"
#include "src/expression/value.h"

namespace viand::expression {

/// Returns the value for a row given in the order of the scope's schema; `as_of_us` is read by the
/// node as_of. Errors are those of EvaluateBatch.
arrow::Result<Value> EvaluateRow(const Expression& expression, std::span<const Value> row,
                                 int64_t as_of_us = 0);

}  // namespace viand::expression
