#include "src/definition/default_value.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <limits>
#include <optional>

#include "src/common/time.h"
#include "src/expression/binder.h"
#include "src/expression/row_evaluator.h"
#include "src/expression/value.h"

namespace viand::definition {
namespace {

using expression::Value;
using TypePtr = std::shared_ptr<arrow::DataType>;

arrow::Status DoesNotFit(const Sql& literal, const arrow::DataType& type) {
  return ErrorAt(literal.where, ErrorKind::kDefinition,
                 fmt::format("the default {} does not fit the feature's type {}", literal.text,
                             expression::TypeToSql(type)));
}

bool IsInRange(int64_t value, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return value >= INT8_MIN && value <= INT8_MAX;
    case arrow::Type::INT16:
      return value >= INT16_MIN && value <= INT16_MAX;
    case arrow::Type::INT32:
      return value >= INT32_MIN && value <= INT32_MAX;
    case arrow::Type::UINT8:
      return value >= 0 && value <= UINT8_MAX;
    case arrow::Type::UINT16:
      return value >= 0 && value <= UINT16_MAX;
    case arrow::Type::UINT32:
      return value >= 0 && value <= UINT32_MAX;
    case arrow::Type::UINT64:
      return value >= 0;
    default:
      return true;
  }
}

/// The value as `type` holds it, or nothing where something would be lost.
std::optional<Value> Fit(const Value& value, const arrow::DataType& from,
                         const arrow::DataType& to) {
  if (arrow::is_integer(from.id()) && arrow::is_integer(to.id())) {
    return IsInRange(std::get<int64_t>(value), to) ? std::optional<Value>(value) : std::nullopt;
  }
  if (arrow::is_integer(from.id()) && arrow::is_floating(to.id())) {
    return Value(static_cast<double>(std::get<int64_t>(value)));
  }
  if (arrow::is_floating(from.id()) && arrow::is_floating(to.id())) return value;
  return from.id() == to.id() ? std::optional<Value>(value) : std::nullopt;
}

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Scalar>> BindDefault(const Sql& literal, const TypePtr& type) {
  const bool sql_string = literal.text.starts_with('\'');
  if (IsText(*type) && !sql_string) return expression::ToScalar(literal.text, type);
  if (type->id() == arrow::Type::TIMESTAMP && !sql_string) {
    const auto time = ParseTimestampUs(literal.text);
    if (time.ok()) return expression::ToScalar(Value(*time), type);
  }
  const auto bound =
      expression::ParseAndBind(literal.text, {.columns = arrow::schema({})}, literal.where);
  if (!bound.ok()) {
    const ErrorDetail* detail = DetailOf(bound.status());
    return ErrorAt(literal.where, ErrorKind::kDefinition,
                   fmt::format("the default is no literal: {}", bound.status().message()),
                   detail == nullptr ? "" : detail->hint);
  }
  VIAND_ASSIGN_OR_RETURN(const Value value, expression::EvaluateRow(**bound, {}));
  if (expression::IsNull(value)) return DoesNotFit(literal, *type);
  const auto fitted = Fit(value, *(*bound)->type, *type);
  if (!fitted) return DoesNotFit(literal, *type);
  return expression::ToScalar(*fitted, type);
}

}  // namespace viand::definition
