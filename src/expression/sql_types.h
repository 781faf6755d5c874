// What the binder and the evaluators know about Arrow's types as SQL types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "src/common/error.h"

namespace arrow {
class DataType;
}

namespace viand::expression {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// Classes of types that casts and overloads tell apart.
enum class TypeClass {
  kNull,
  kBoolean,
  kInteger,
  kFloat,
  kVarchar,
  kBlob,
  kDate,
  kTimestamp,
  kInterval,
  kMonths,   ///< a calendar interval: a literal, and only beside + or - of a timestamp
  kUnknown,  ///< of a column that only the data will type: checks before the data is there
  kOther,    ///< lists and whatever a file may hold: passed through, null-tested, counted
};

TypeClass ClassOf(const arrow::DataType& type);
bool IsNumber(const arrow::DataType& type);

/// Shared instances of the two types of time.
const TypePtr& TimestampType();
const TypePtr& TimestampTzType();
const TypePtr& IntervalType();

/// Stands for the type of a column that only the data will tell. Never the type of data, never
/// evaluated.
const TypePtr& UnknownType();
bool IsUnknown(const arrow::DataType& type);

/// Least and greatest value of an integer type (ubigint is no type of expressions: columns read as
/// bigint).
struct IntegerRange {
  int64_t least;
  int64_t greatest;
};
IntegerRange RangeOf(const arrow::DataType& type);

/// Returns the type by which expressions read a column: utf8 for every string type and dictionary
/// of one, microseconds for every unit, UTC for every zone, double for decimals, bigint for
/// ubigint; other types stay.
TypePtr ReadType(const TypePtr& type);

/// Returns the type that holds values of both, as DuckDB widens; nothing where an explicit cast is
/// due.
std::optional<TypePtr> Widen(const TypePtr& a, const TypePtr& b);

}  // namespace viand::expression
