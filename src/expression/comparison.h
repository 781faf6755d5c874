// Comparisons in DuckDB's order: NaN equals itself and is greater than every number; text compares
// by bytes.
#pragma once

#include <cstdint>

#include "src/expression/function_table.h"

namespace viand::expression {

/// Returns less than 0, 0 or more than 0; both values not null and of one type.
int CompareValues(const Value& a, const Value& b);

/// Compares two datums of one type elementwise: the kernel's name is "equal", "less", ...; null
/// where one is null.
arrow::Result<arrow::Datum> CompareDatums(const char* kernel, const arrow::Datum& a,
                                          const arrow::Datum& b, int64_t rows,
                                          arrow::MemoryPool* pool);

arrow::Result<arrow::Datum> EqualBatch(const BatchCall& call);
arrow::Result<arrow::Datum> NotEqualBatch(const BatchCall& call);
arrow::Result<arrow::Datum> LessBatch(const BatchCall& call);
arrow::Result<arrow::Datum> LessEqualBatch(const BatchCall& call);
arrow::Result<arrow::Datum> GreaterBatch(const BatchCall& call);
arrow::Result<arrow::Datum> GreaterEqualBatch(const BatchCall& call);
arrow::Result<Value> EqualRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> NotEqualRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> LessRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> LessEqualRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> GreaterRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> GreaterEqualRow(const Expression& call, std::span<const Value> args);

// These take nulls.
arrow::Result<arrow::Datum> DistinctBatch(const BatchCall& call);
arrow::Result<arrow::Datum> NotDistinctBatch(const BatchCall& call);
arrow::Result<arrow::Datum> BetweenBatch(const BatchCall& call);
arrow::Result<arrow::Datum> InBatch(const BatchCall& call);
arrow::Result<arrow::Datum> GreatestBatch(const BatchCall& call);
arrow::Result<arrow::Datum> LeastBatch(const BatchCall& call);
arrow::Result<arrow::Datum> NullifBatch(const BatchCall& call);
arrow::Result<arrow::Datum> IsNullBatch(const BatchCall& call);
arrow::Result<arrow::Datum> IsNotNullBatch(const BatchCall& call);
arrow::Result<Value> DistinctRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> NotDistinctRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> BetweenRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> InRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> GreatestRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> LeastRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> NullifRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> IsNullRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> IsNotNullRow(const Expression& call, std::span<const Value> args);

}  // namespace viand::expression
