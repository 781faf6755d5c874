// Functions on numbers, as plain functions of values; the table turns them into evaluators.
#pragma once

#include <cstdint>

#include "src/common/error.h"
#include "src/expression/function_table.h"

namespace viand::expression {

// Checked integer arithmetic; the caller checks narrower types' ranges.
arrow::Result<int64_t> AddIntegers(int64_t a, int64_t b);
arrow::Result<int64_t> SubtractIntegers(int64_t a, int64_t b);
arrow::Result<int64_t> MultiplyIntegers(int64_t a, int64_t b);
arrow::Result<int64_t> NegateInteger(int64_t a);
arrow::Result<int64_t> AbsoluteInteger(int64_t a);

arrow::Result<int64_t> DivideIntegers(int64_t a, int64_t b);  ///< toward zero; by zero is an error
arrow::Result<int64_t> RemainderOfIntegers(int64_t a, int64_t b);
arrow::Result<double> DivideWhole(
    double a, double b);  ///< DuckDB's // on doubles: does not round; by zero is an error
double RemainderOf(double a, double b);

int64_t SignOfInteger(int64_t a);
int64_t SignOf(double a);  ///< NaN: 0, as in DuckDB
double RoundHalfAway(double a);
double RoundTo(double a, int64_t digits);
arrow::Result<int64_t> RoundIntegerTo(int64_t a, int64_t digits);
int64_t SameInteger(int64_t a);
double Cotangent(double a);
bool IsNan(double a);
bool IsFinite(double a);
bool IsInfinite(double a);

// + - * / unary -: Arrow's kernels over a batch, checked for integers.
arrow::Result<arrow::Datum> AddBatch(const BatchCall& call);
arrow::Result<arrow::Datum> SubtractBatch(const BatchCall& call);
arrow::Result<arrow::Datum> MultiplyBatch(const BatchCall& call);
arrow::Result<arrow::Datum> DivideBatch(const BatchCall& call);
arrow::Result<Value> AddRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> SubtractRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> MultiplyRow(const Expression& call, std::span<const Value> args);
arrow::Result<Value> DivideRow(const Expression& call, std::span<const Value> args);

/// Picks between the evaluators of integers and of floats by the type of the result or, where that
/// is of another class, of the first argument.
bool OnIntegers(const Expression& call);

template <auto Integers, auto Floats>
arrow::Result<arrow::Datum> NumberBatch(const BatchCall& call);
template <auto Integers, auto Floats>
arrow::Result<Value> NumberRow(const Expression& call, std::span<const Value> args);

}  // namespace viand::expression

#include "src/expression/row_map.h"

namespace viand::expression {

template <auto Integers, auto Floats>
arrow::Result<arrow::Datum> NumberBatch(const BatchCall& call) {
  return OnIntegers(call.expression) ? MapBatch<Integers>(call) : MapBatch<Floats>(call);
}

template <auto Integers, auto Floats>
arrow::Result<Value> NumberRow(const Expression& call, std::span<const Value> args) {
  return OnIntegers(call) ? MapRow<Integers>(call, args) : MapRow<Floats>(call, args);
}

}  // namespace viand::expression
