#include "src/expression/row_evaluator.h"

#include <arrow/compute/initialize.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/expression/cast.h"
#include "src/expression/row_context.h"
#include "src/expression/sql_types.h"
#include "src/expression/to_sql.h"

namespace viand::expression {
namespace {

arrow::Status Failed(const Expression& expression, std::span<const Value> args,
                     const arrow::Status& reason) {
  std::string values;
  for (size_t i = 0; i < args.size(); ++i) {
    values += (i == 0 ? "" : ", ") + Shortened(Describe(args[i], *expression.children[i]->type));
  }
  const ErrorDetail* detail = DetailOf(reason);
  return ErrorAt(expression.where, ErrorKind::kInput,
                 fmt::format("{}: {}; the values are {}", Shortened(ShownSql(expression)),
                             reason.message(), values),
                 detail == nullptr ? "" : detail->hint);
}

bool AnyNull(std::span<const Value> args) { return std::any_of(args.begin(), args.end(), IsNull); }

}  // namespace

std::string Describe(const Value& value, const arrow::DataType& type) {
  if (IsNull(value)) return "null";
  if (ClassOf(type) == TypeClass::kInteger) return fmt::format("{}", std::get<int64_t>(value));
  return LiteralToSql(value, type);
}

arrow::Result<Value> EvaluateStrict(const Expression& expression, std::span<const Value> args) {
  const bool cast = expression.kind == ExpressionKind::kCast;
  const Nulls nulls = cast ? Nulls::kPropagate : expression.function->nulls;
  if (nulls == Nulls::kPropagate && AnyNull(args)) return Value();
  const StrictRow evaluate = cast ? FindCast(*expression.children[0]->type, *expression.type)->row
                                  : expression.function->row.strict;
  auto result = evaluate(expression, args);
  if (result.ok()) return result;
  if (expression.null_on_failure) return Value();
  return Failed(expression, args, result.status());
}

arrow::Result<Value> RowContext::Evaluate(const Expression& expression) const {
  switch (expression.kind) {
    case ExpressionKind::kLiteral:
      return FromScalar(*expression.literal);
    case ExpressionKind::kColumn:
      if (expression.column_index >= static_cast<int>(row_.size())) {
        return MakeError(ErrorKind::kInput,
                         fmt::format("the row lacks the column \"{}\"", expression.column));
      }
      return row_[expression.column_index];
    case ExpressionKind::kAsOf:
      return Value(as_of_us_);
    case ExpressionKind::kCall:
      if (expression.function->row.lazy != nullptr)
        return expression.function->row.lazy(expression, *this);
      break;
    case ExpressionKind::kCast:
      break;
    default:
      return ErrorAt(expression.where, ErrorKind::kDefinition, "an aggregate has no value a row");
  }
  std::vector<Value> args(expression.children.size());
  for (size_t i = 0; i < args.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(args[i], Evaluate(*expression.children[i]));
  }
  return EvaluateStrict(expression, args);
}

arrow::Result<Value> EvaluateRow(const Expression& expression, std::span<const Value> row,
                                 int64_t as_of_us) {
  static const arrow::Status kernels = arrow::compute::Initialize();
  VIAND_RETURN_NOT_OK(kernels);
  return RowContext(row, as_of_us).Evaluate(expression);
}

}  // namespace viand::expression
