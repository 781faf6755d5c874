// One row under evaluation, and the errors of a row.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "src/expression/expression.h"
#include "src/expression/value.h"

namespace viand::expression {

class RowContext {
 public:
  RowContext(std::span<const Value> row, int64_t as_of_us) : row_(row), as_of_us_(as_of_us) {}
  arrow::Result<Value> Evaluate(const Expression& expression) const;

 private:
  std::span<const Value> row_;
  int64_t as_of_us_;
};

/// Evaluates a strict call or a cast over its arguments' values; an error names the expression, its
/// place and the values.
arrow::Result<Value> EvaluateStrict(const Expression& expression, std::span<const Value> args);

/// Prints a value of a type as SQL, for errors.
std::string Describe(const Value& value, const arrow::DataType& type);

}  // namespace viand::expression
