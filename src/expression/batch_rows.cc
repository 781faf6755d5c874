#include "src/expression/batch_rows.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/expression/calendar.h"
#include "src/expression/cast.h"
#include "src/expression/column_reader.h"
#include "src/expression/row_context.h"
#include "src/expression/sql_types.h"
#include "src/expression/to_sql.h"

namespace viand::expression {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

bool IsNullScalar(const arrow::Datum& datum) {
  return datum.is_scalar() && !datum.scalar()->is_valid;
}

arrow::Result<Value> ElementOf(const arrow::Datum& datum, int64_t row) {
  if (datum.is_scalar()) return FromScalar(*datum.scalar());
  return ValueAt(*datum.make_array(), row);
}

/// Evaluates a call whose arguments are the same for all rows.
arrow::Result<arrow::Datum> EvaluateOnce(const Expression& expression,
                                         const std::vector<arrow::Datum>& args) {
  std::vector<Value> values(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(values[i], ElementOf(args[i], 0));
  }
  VIAND_ASSIGN_OR_RETURN(const Value value, EvaluateStrict(expression, values));
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Scalar> scalar, ToScalar(value, expression.type));
  return arrow::Datum(std::move(scalar));
}

/// try_cast where some row fails: row by row, with nulls for those.
arrow::Result<arrow::Datum> CastRowByRow(const Expression& expression, const arrow::Datum& arg,
                                         int64_t rows) {
  const ArrayPtr array = arg.make_array();
  std::vector<Value> values(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) {
    VIAND_ASSIGN_OR_RETURN(const Value value, ValueAt(*array, i));
    VIAND_ASSIGN_OR_RETURN(values[i], EvaluateStrict(expression, {&value, 1}));
  }
  VIAND_ASSIGN_OR_RETURN(ArrayPtr result, ToArray(values, expression.type));
  return arrow::Datum(result);
}

/// A cell of any type, for people.
std::string ShownCell(const arrow::Array& column, int64_t row) {
  const auto scalar = column.GetScalar(row);
  if (!scalar.ok()) return "?";
  if (ClassOf(*column.type()) == TypeClass::kTimestamp && (*scalar)->is_valid) {
    const auto time = (*scalar)->CastTo(TimestampType());
    if (time.ok()) return FormatTime(static_cast<const arrow::TimestampScalar&>(**time).value);
  }
  return Shortened((*scalar)->ToString());
}

}  // namespace

BatchRows::BatchRows(const arrow::RecordBatch& batch, ArrayPtr as_of, arrow::MemoryPool* pool)
    : batch_(&batch), as_of_(std::move(as_of)), count_(batch.num_rows()), pool_(pool) {}

BatchRows BatchRows::Select(const ArrayPtr& positions) {
  BatchRows selected;
  selected.batch_ = batch_;
  selected.parent_ = this;
  selected.positions_ = positions;
  selected.count_ = positions->length();
  selected.pool_ = pool_;
  return selected;
}

int64_t BatchRows::RowInBatch(int64_t i) const {
  if (parent_ == nullptr) return i;
  return parent_->RowInBatch(static_cast<const arrow::Int64Array&>(*positions_).Value(i));
}

arrow::Result<ArrayPtr> BatchRows::Column(const Expression& expression) {
  const auto found = columns_.find(expression.column_index);
  if (found != columns_.end()) return found->second;
  ArrayPtr column;
  if (parent_ != nullptr) {
    VIAND_ASSIGN_OR_RETURN(column, parent_->Column(expression));
    arrow::compute::ExecContext context(pool_);
    VIAND_ASSIGN_OR_RETURN(
        column, arrow::compute::Take(*column, *positions_,
                                     arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  } else {
    if (expression.column_index >= batch_->num_columns()) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("the rows lack the column \"{}\"", expression.column));
    }
    VIAND_ASSIGN_OR_RETURN(column, ReadColumn(batch_->column(expression.column_index),
                                              expression.type, expression.column, pool_));
  }
  columns_.emplace(expression.column_index, column);
  return column;
}

arrow::Result<ArrayPtr> BatchRows::AsOf(const Expression& expression) {
  if (parent_ != nullptr) {
    VIAND_ASSIGN_OR_RETURN(ArrayPtr all, parent_->AsOf(expression));
    arrow::compute::ExecContext context(pool_);
    return arrow::compute::Take(*all, *positions_, arrow::compute::TakeOptions::NoBoundsCheck(),
                                &context);
  }
  if (as_of_ == nullptr || as_of_->length() != count_) {
    return ErrorAt(expression.where, ErrorKind::kInput, "as_of has no value here");
  }
  return ReadColumn(as_of_, expression.type, "as_of", pool_);
}

arrow::Result<arrow::Datum> BatchRows::Evaluate(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kLiteral:
      return arrow::Datum(expression.literal);
    case ExpressionKind::kColumn: {
      VIAND_ASSIGN_OR_RETURN(ArrayPtr column, Column(expression));
      return arrow::Datum(column);
    }
    case ExpressionKind::kAsOf: {
      VIAND_ASSIGN_OR_RETURN(ArrayPtr times, AsOf(expression));
      return arrow::Datum(times);
    }
    case ExpressionKind::kCall:
      if (expression.function->batch.lazy != nullptr)
        return expression.function->batch.lazy(expression, this);
      return Call(expression);
    case ExpressionKind::kCast:
      return Call(expression);
    default:
      return ErrorAt(expression.where, ErrorKind::kDefinition, "an aggregate has no value a row");
  }
}

arrow::Result<ArrayPtr> BatchRows::EvaluateArray(const Expression& expression) {
  VIAND_ASSIGN_OR_RETURN(arrow::Datum result, Evaluate(expression));
  if (result.is_array()) return result.make_array();
  return arrow::MakeArrayFromScalar(*result.scalar(), count_, pool_);
}

arrow::Result<arrow::Datum> BatchRows::Call(const Expression& expression) {
  std::vector<arrow::Datum> args(expression.children.size());
  for (size_t i = 0; i < args.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(args[i], Evaluate(*expression.children[i]));
  }
  const bool cast = expression.kind == ExpressionKind::kCast;
  const Nulls nulls = cast ? Nulls::kPropagate : expression.function->nulls;
  if (nulls == Nulls::kPropagate && std::any_of(args.begin(), args.end(), IsNullScalar)) {
    return arrow::Datum(arrow::MakeNullScalar(expression.type));
  }
  if (std::all_of(args.begin(), args.end(),
                  [](const arrow::Datum& arg) { return arg.is_scalar(); })) {
    return EvaluateOnce(expression, args);
  }
  const StrictBatch evaluate =
      cast ? FindCast(*expression.children[0]->type, *expression.type)->batch
           : expression.function->batch.strict;
  auto result = evaluate({expression, args, count_, pool_});
  if (result.ok()) return result;
  if (cast && expression.null_on_failure) return CastRowByRow(expression, args[0], count_);
  return Explain(expression, args, result.status());
}

arrow::Status BatchRows::Explain(const Expression& expression,
                                 const std::vector<arrow::Datum>& args,
                                 const arrow::Status& failure) const {
  std::vector<Value> values(args.size());
  for (int64_t row = 0; row < count_; ++row) {
    for (size_t i = 0; i < args.size(); ++i) {
      VIAND_ASSIGN_OR_RETURN(values[i], ElementOf(args[i], row));
    }
    const arrow::Status status = EvaluateStrict(expression, values).status();
    if (status.ok()) continue;
    return status.WithMessage(status.message(), ", ", NameRow(row, expression));
  }
  // Not a value's fault: out of memory, a column longer than 2 GiB.
  return failure;
}

std::string BatchRows::NameRow(int64_t i, const Expression& failed) const {
  // Enough for keys and a time.
  constexpr size_t kMaxColumnsShown = 4;
  const BatchRows* whole = this;
  while (whole->parent_ != nullptr) whole = whole->parent_;
  const int64_t row = RowInBatch(i);
  if (whole->as_of_ != nullptr && whole->as_of_->IsValid(row)) {
    return "at " + ShownCell(*whole->as_of_, row);
  }
  const std::vector<std::string> read = ColumnsOf(failed);
  std::vector<std::string> shown;
  for (int column = 0; column < batch_->num_columns(); ++column) {
    const std::string& name = batch_->column_name(column);
    // "$0" stands for an inner aggregate's value.
    const bool skipped =
        name.starts_with('$') || std::binary_search(read.begin(), read.end(), name);
    if (skipped || shown.size() == kMaxColumnsShown) continue;
    shown.push_back(fmt::format("{} {}", name, ShownCell(*batch_->column(column), row)));
  }
  if (shown.empty()) return fmt::format("in row {}", row);
  return fmt::format("in the row with {}", fmt::join(shown, ", "));
}

bool CanFail(const Expression& expression) {
  if (expression.kind == ExpressionKind::kCall &&
      expression.function->failure == Failure::kPossible) {
    return true;
  }
  if (expression.kind == ExpressionKind::kCast && !expression.null_on_failure &&
      FindCast(*expression.children[0]->type, *expression.type)->failure == Failure::kPossible) {
    return true;
  }
  return std::any_of(expression.children.begin(), expression.children.end(),
                     [](const ExpressionPtr& child) { return CanFail(*child); });
}

}  // namespace viand::expression
