// and, or, not, is true, case, coalesce. A part that might fail is evaluated only on the rows that
// need it.
#pragma once

#include "src/expression/function_table.h"

namespace viand::expression {

arrow::Result<arrow::Datum> AndBatch(const Expression& call, BatchRows* rows);
arrow::Result<arrow::Datum> OrBatch(const Expression& call, BatchRows* rows);
arrow::Result<arrow::Datum> CaseBatch(const Expression& call, BatchRows* rows);
arrow::Result<arrow::Datum> CaseOfBatch(const Expression& call, BatchRows* rows);
arrow::Result<arrow::Datum> CoalesceBatch(const Expression& call, BatchRows* rows);
arrow::Result<Value> AndRow(const Expression& call, const RowContext& row);
arrow::Result<Value> OrRow(const Expression& call, const RowContext& row);
arrow::Result<Value> CaseRow(const Expression& call, const RowContext& row);
arrow::Result<Value> CaseOfRow(const Expression& call, const RowContext& row);
arrow::Result<Value> CoalesceRow(const Expression& call, const RowContext& row);

bool Not(bool a);

/// "is true" and its three kin, which take nulls.
arrow::Result<arrow::Datum> IsTrueBatch(const BatchCall& call);
arrow::Result<arrow::Datum> IsNotTrueBatch(const BatchCall& call);
arrow::Result<arrow::Datum> IsFalseBatch(const BatchCall& call);
arrow::Result<arrow::Datum> IsNotFalseBatch(const BatchCall& call);
arrow::Result<Value> IsTrueRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> IsNotTrueRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> IsFalseRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> IsNotFalseRow(const Expression& call, std::span<const Value> args);

}  // namespace viand::expression
