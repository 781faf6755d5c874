#include "src/expression/logic.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "src/expression/batch_rows.h"
#include "src/expression/comparison.h"
#include "src/expression/row_context.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

arrow::Result<arrow::Datum> Kernel(const char* name, const std::vector<arrow::Datum>& args,
                                   arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  return arrow::compute::CallFunction(name, args, &context);
}

arrow::Result<ArrayPtr> Positions(const std::vector<int64_t>& positions, arrow::MemoryPool* pool) {
  arrow::Int64Builder builder(pool);
  VIAND_RETURN_NOT_OK(builder.AppendValues(positions));
  return builder.Finish();
}

arrow::Result<ArrayPtr> TakeRows(const ArrayPtr& values, const ArrayPtr& positions,
                                 arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  return arrow::compute::Take(*values, *positions, arrow::compute::TakeOptions::NoBoundsCheck(),
                              &context);
}

/// Puts together a column from pieces that each hold the values of some of its rows; other rows are
/// null.
class Assembly {
 public:
  Assembly(TypePtr type, BatchRows* rows)
      : type_(std::move(type)), rows_(rows), source_(static_cast<size_t>(rows->count()), -1) {}

  /// Adds the values of the rows at `positions`: one value each, or a scalar for all.
  arrow::Status Add(const std::vector<int64_t>& positions, const arrow::Datum& values) {
    int64_t next = length_;
    const bool scalar = values.is_scalar();
    for (int64_t position : positions) source_[position] = scalar ? next : next++;
    ArrayPtr piece;
    if (scalar) {
      VIAND_ASSIGN_OR_RETURN(piece, arrow::MakeArrayFromScalar(*values.scalar(), 1, rows_->pool()));
    } else {
      piece = values.make_array();
    }
    length_ += piece->length();
    pieces_.push_back(std::move(piece));
    return arrow::Status::OK();
  }

  arrow::Result<ArrayPtr> Finish() {
    if (pieces_.empty()) return arrow::MakeArrayOfNull(type_, rows_->count(), rows_->pool());
    VIAND_ASSIGN_OR_RETURN(ArrayPtr all, arrow::Concatenate(pieces_, rows_->pool()));
    arrow::Int64Builder builder(rows_->pool());
    VIAND_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(source_.size())));
    for (int64_t source : source_) {
      source < 0 ? builder.UnsafeAppendNull() : builder.UnsafeAppend(source);
    }
    VIAND_ASSIGN_OR_RETURN(ArrayPtr order, builder.Finish());
    return TakeRows(all, order, rows_->pool());
  }

 private:
  TypePtr type_;
  BatchRows* rows_;
  std::vector<int64_t> source_;
  std::vector<ArrayPtr> pieces_;
  int64_t length_ = 0;
};

/// Evaluates a tree on some rows; all of them need no selection.
arrow::Result<arrow::Datum> EvaluateOn(const Expression& tree,
                                       const std::vector<int64_t>& positions, BatchRows* rows) {
  if (static_cast<int64_t>(positions.size()) == rows->count()) return rows->Evaluate(tree);
  VIAND_ASSIGN_OR_RETURN(ArrayPtr array, Positions(positions, rows->pool()));
  BatchRows selected = rows->Select(array);
  return selected.Evaluate(tree);
}

std::vector<int64_t> AllRows(const BatchRows& rows) {
  std::vector<int64_t> all(static_cast<size_t>(rows.count()));
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  return all;
}

/// Tells whether condition i holds; a null does not.
class Condition {
 public:
  explicit Condition(const arrow::Datum& datum) {
    if (datum.is_scalar()) {
      const auto& scalar = static_cast<const arrow::BooleanScalar&>(*datum.scalar());
      constant_ = scalar.is_valid && scalar.value;
    } else {
      array_ = datum.make_array();
    }
  }
  bool operator()(int64_t i) const {
    if (array_ == nullptr) return constant_;
    return array_->IsValid(i) && static_cast<const arrow::BooleanArray&>(*array_).Value(i);
  }

 private:
  ArrayPtr array_;
  bool constant_ = false;
};

/// Moves the rows whose condition holds (the i-th condition is of the i-th remaining row) out of
/// `remaining`.
std::vector<int64_t> Split(const arrow::Datum& conditions, std::vector<int64_t>* remaining) {
  const Condition holds(conditions);
  std::vector<int64_t> matched, rest;
  for (size_t i = 0; i < remaining->size(); ++i) {
    (holds(static_cast<int64_t>(i)) ? matched : rest).push_back((*remaining)[i]);
  }
  *remaining = std::move(rest);
  return matched;
}

bool AnyChildCanFail(const Expression& call) {
  return std::any_of(call.children.begin(), call.children.end(),
                     [](const ExpressionPtr& child) { return CanFail(*child); });
}

/// Evaluates a case whose parts cannot fail: everything everywhere, chosen from the last branch to
/// the first.
arrow::Result<arrow::Datum> ChooseEagerly(const Expression& call, BatchRows* rows,
                                          const arrow::Datum* operand) {
  const size_t first = operand == nullptr ? 0 : 1;
  VIAND_ASSIGN_OR_RETURN(arrow::Datum result, rows->Evaluate(*call.children.back()));
  for (size_t i = call.children.size() - 1; i >= first + 2; i -= 2) {
    VIAND_ASSIGN_OR_RETURN(arrow::Datum condition, rows->Evaluate(*call.children[i - 2]));
    if (operand != nullptr) {
      VIAND_ASSIGN_OR_RETURN(
          condition, CompareDatums("equal", *operand, condition, rows->count(), rows->pool()));
    }
    VIAND_ASSIGN_OR_RETURN(condition,
                           Kernel("coalesce", {condition, arrow::Datum(false)}, rows->pool()));
    VIAND_ASSIGN_OR_RETURN(arrow::Datum value, rows->Evaluate(*call.children[i - 1]));
    VIAND_ASSIGN_OR_RETURN(result, Kernel("if_else", {condition, value, result}, rows->pool()));
  }
  return result;
}

/// Evaluates each condition on the rows still open, and each value on the rows that chose it.
arrow::Result<arrow::Datum> ChooseLazily(const Expression& call, BatchRows* rows,
                                         const ArrayPtr& operand) {
  std::vector<int64_t> remaining = AllRows(*rows);
  Assembly assembly(call.type, rows);
  for (size_t i = operand == nullptr ? 0 : 1; i + 1 < call.children.size() && !remaining.empty();
       i += 2) {
    VIAND_ASSIGN_OR_RETURN(arrow::Datum condition, EvaluateOn(*call.children[i], remaining, rows));
    if (operand != nullptr) {
      VIAND_ASSIGN_OR_RETURN(ArrayPtr positions, Positions(remaining, rows->pool()));
      VIAND_ASSIGN_OR_RETURN(ArrayPtr open, TakeRows(operand, positions, rows->pool()));
      VIAND_ASSIGN_OR_RETURN(
          condition, CompareDatums("equal", open, condition, static_cast<int64_t>(remaining.size()),
                                   rows->pool()));
    }
    const std::vector<int64_t> matched = Split(condition, &remaining);
    if (matched.empty()) continue;
    VIAND_ASSIGN_OR_RETURN(arrow::Datum value, EvaluateOn(*call.children[i + 1], matched, rows));
    VIAND_RETURN_NOT_OK(assembly.Add(matched, value));
  }
  if (!remaining.empty()) {
    VIAND_ASSIGN_OR_RETURN(arrow::Datum value, EvaluateOn(*call.children.back(), remaining, rows));
    VIAND_RETURN_NOT_OK(assembly.Add(remaining, value));
  }
  VIAND_ASSIGN_OR_RETURN(ArrayPtr result, assembly.Finish());
  return arrow::Datum(result);
}

/// Returns the rows where `values` is null (`nulls`) or is not the boolean `decided`.
std::vector<int64_t> OpenRows(const arrow::Datum& values, const BatchRows& rows, bool decided) {
  std::vector<int64_t> open;
  const ArrayPtr array = values.is_array() ? values.make_array() : nullptr;
  for (int64_t i = 0; i < rows.count(); ++i) {
    bool closed = false;
    if (array != nullptr) {
      closed =
          array->IsValid(i) && static_cast<const arrow::BooleanArray&>(*array).Value(i) == decided;
    } else {
      const auto& scalar = static_cast<const arrow::BooleanScalar&>(*values.scalar());
      closed = scalar.is_valid && scalar.value == decided;
    }
    if (!closed) open.push_back(i);
  }
  return open;
}

/// Folds and (decided false) or or (decided true).
arrow::Result<arrow::Datum> Fold(const Expression& call, BatchRows* rows, const char* kernel,
                                 bool decided) {
  VIAND_ASSIGN_OR_RETURN(arrow::Datum result, rows->Evaluate(*call.children.front()));
  for (size_t i = 1; i < call.children.size(); ++i) {
    const Expression& child = *call.children[i];
    arrow::Datum value;
    if (CanFail(child)) {
      const std::vector<int64_t> open = OpenRows(result, *rows, decided);
      if (open.empty()) return result;
      Assembly assembly(arrow::boolean(), rows);
      VIAND_ASSIGN_OR_RETURN(value, EvaluateOn(child, open, rows));
      VIAND_RETURN_NOT_OK(assembly.Add(open, value));
      VIAND_ASSIGN_OR_RETURN(value, assembly.Finish());
    } else {
      VIAND_ASSIGN_OR_RETURN(value, rows->Evaluate(child));
    }
    VIAND_ASSIGN_OR_RETURN(result, Kernel(kernel, {result, value}, rows->pool()));
  }
  return result;
}

arrow::Result<Value> FoldRow(const Expression& call, const RowContext& row, bool decided) {
  bool unknown = false;
  for (const ExpressionPtr& child : call.children) {
    VIAND_ASSIGN_OR_RETURN(const Value value, row.Evaluate(*child));
    if (IsNull(value)) {
      unknown = true;
    } else if (std::get<bool>(value) == decided) {
      return Value(decided);
    }
  }
  return unknown ? Value() : Value(!decided);
}

/// Returns whether the boolean equals `wanted`, false for a null; inverted where asked.
arrow::Result<arrow::Datum> IsBoolean(const BatchCall& call, bool wanted, bool inverted) {
  arrow::Datum result = call.args[0];
  if (!wanted) {
    VIAND_ASSIGN_OR_RETURN(result, Kernel("invert", {result}, call.pool));
  }
  VIAND_ASSIGN_OR_RETURN(result, Kernel("coalesce", {result, arrow::Datum(false)}, call.pool));
  if (!inverted) return result;
  return Kernel("invert", {result}, call.pool);
}

arrow::Result<Value> IsBooleanRow(std::span<const Value> args, bool wanted, bool inverted) {
  const bool* value = std::get_if<bool>(&args[0]);
  return Value((value != nullptr && *value == wanted) != inverted);
}

}  // namespace

arrow::Result<arrow::Datum> AndBatch(const Expression& call, BatchRows* rows) {
  return Fold(call, rows, "and_kleene", false);
}
arrow::Result<arrow::Datum> OrBatch(const Expression& call, BatchRows* rows) {
  return Fold(call, rows, "or_kleene", true);
}
arrow::Result<Value> AndRow(const Expression& call, const RowContext& row) {
  return FoldRow(call, row, false);
}
arrow::Result<Value> OrRow(const Expression& call, const RowContext& row) {
  return FoldRow(call, row, true);
}

arrow::Result<arrow::Datum> CaseBatch(const Expression& call, BatchRows* rows) {
  if (AnyChildCanFail(call)) return ChooseLazily(call, rows, nullptr);
  return ChooseEagerly(call, rows, nullptr);
}

arrow::Result<arrow::Datum> CaseOfBatch(const Expression& call, BatchRows* rows) {
  if (AnyChildCanFail(call)) {
    VIAND_ASSIGN_OR_RETURN(ArrayPtr operand, rows->EvaluateArray(*call.children.front()));
    return ChooseLazily(call, rows, operand);
  }
  VIAND_ASSIGN_OR_RETURN(arrow::Datum operand, rows->Evaluate(*call.children.front()));
  return ChooseEagerly(call, rows, &operand);
}

arrow::Result<Value> CaseRow(const Expression& call, const RowContext& row) {
  for (size_t i = 0; i + 1 < call.children.size(); i += 2) {
    VIAND_ASSIGN_OR_RETURN(const Value condition, row.Evaluate(*call.children[i]));
    if (!IsNull(condition) && std::get<bool>(condition)) return row.Evaluate(*call.children[i + 1]);
  }
  return row.Evaluate(*call.children.back());
}

arrow::Result<Value> CaseOfRow(const Expression& call, const RowContext& row) {
  VIAND_ASSIGN_OR_RETURN(const Value operand, row.Evaluate(*call.children.front()));
  for (size_t i = 1; i + 1 < call.children.size(); i += 2) {
    VIAND_ASSIGN_OR_RETURN(const Value candidate, row.Evaluate(*call.children[i]));
    if (!IsNull(operand) && !IsNull(candidate) && CompareValues(operand, candidate) == 0) {
      return row.Evaluate(*call.children[i + 1]);
    }
  }
  return row.Evaluate(*call.children.back());
}

arrow::Result<arrow::Datum> CoalesceBatch(const Expression& call, BatchRows* rows) {
  if (!AnyChildCanFail(call)) {
    std::vector<arrow::Datum> args(call.children.size());
    for (size_t i = 0; i < args.size(); ++i) {
      VIAND_ASSIGN_OR_RETURN(args[i], rows->Evaluate(*call.children[i]));
    }
    return Kernel("coalesce", args, rows->pool());
  }
  std::vector<int64_t> remaining = AllRows(*rows);
  Assembly assembly(call.type, rows);
  for (const ExpressionPtr& child : call.children) {
    if (remaining.empty()) break;
    VIAND_ASSIGN_OR_RETURN(arrow::Datum value, EvaluateOn(*child, remaining, rows));
    // A null is overwritten by the next child, so every value of the open rows can go in.
    VIAND_RETURN_NOT_OK(assembly.Add(remaining, value));
    VIAND_ASSIGN_OR_RETURN(arrow::Datum missing, Kernel("is_null", {value}, rows->pool()));
    remaining = Split(missing, &remaining);
  }
  VIAND_ASSIGN_OR_RETURN(ArrayPtr result, assembly.Finish());
  return arrow::Datum(result);
}

arrow::Result<Value> CoalesceRow(const Expression& call, const RowContext& row) {
  for (const ExpressionPtr& child : call.children) {
    VIAND_ASSIGN_OR_RETURN(Value value, row.Evaluate(*child));
    if (!IsNull(value)) return value;
  }
  return Value();
}

bool Not(bool a) { return !a; }

arrow::Result<arrow::Datum> IsTrueBatch(const BatchCall& call) {
  return IsBoolean(call, true, false);
}
arrow::Result<arrow::Datum> IsNotTrueBatch(const BatchCall& call) {
  return IsBoolean(call, true, true);
}
arrow::Result<arrow::Datum> IsFalseBatch(const BatchCall& call) {
  return IsBoolean(call, false, false);
}
arrow::Result<arrow::Datum> IsNotFalseBatch(const BatchCall& call) {
  return IsBoolean(call, false, true);
}
arrow::Result<Value> IsTrueRow(const Expression&, std::span<const Value> args) {
  return IsBooleanRow(args, true, false);
}
arrow::Result<Value> IsNotTrueRow(const Expression&, std::span<const Value> args) {
  return IsBooleanRow(args, true, true);
}
arrow::Result<Value> IsFalseRow(const Expression&, std::span<const Value> args) {
  return IsBooleanRow(args, false, false);
}
arrow::Result<Value> IsNotFalseRow(const Expression&, std::span<const Value> args) {
  return IsBooleanRow(args, false, true);
}

}  // namespace viand::expression
