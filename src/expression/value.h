// One value of a row, for the row evaluator and the serving path: a small variant without
// allocation for numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>

#include "src/common/error.h"

namespace arrow {
class Array;
class DataType;
struct Scalar;
}  // namespace arrow

namespace viand::expression {

/// Null, or a value of an SQL type: all integers, dates (days), timestamps and intervals (us) are
/// int64; floats are double; varchar and blob are string. The type itself stands in the tree.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string>;

inline bool IsNull(const Value& value) { return std::holds_alternative<std::monostate>(value); }

/// Reads element `row` of an array as a Value.
arrow::Result<Value> ValueAt(const arrow::Array& array, int64_t row);

/// Makes an Arrow scalar of `type` from a Value.
arrow::Result<std::shared_ptr<arrow::Scalar>> ToScalar(
    const Value& value, const std::shared_ptr<arrow::DataType>& type);

/// Reads a scalar of an expression's type as a Value.
arrow::Result<Value> FromScalar(const arrow::Scalar& scalar);

/// Makes an array of `type` from Values.
arrow::Result<std::shared_ptr<arrow::Array>> ToArray(std::span<const Value> values,
                                                     const std::shared_ptr<arrow::DataType>& type);

}  // namespace viand::expression
