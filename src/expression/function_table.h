// The one table of functions. A row names a function, its parameters, the type of its result, and
// its two evaluators, over a batch and over a row; a row that lacks one of the two does not
// compile.
#pragma once

#include <arrow/datum.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/expression/expression.h"
#include "src/expression/value.h"

namespace arrow {
class MemoryPool;
}

namespace viand::expression {

class BatchRows;   // batch_rows.h
class RowContext;  // row_context.h

/// What a parameter accepts, and what the binder casts it to.
enum class Param : uint8_t {
  kBoolean,
  kNumber,     ///< any number, widened to the type common to all kNumber arguments
  kFraction,   ///< any number; an integer becomes double; then as kNumber
  kBigint,     ///< any integer, to bigint
  kDouble,     ///< any number, to double
  kVarchar,    ///< text
  kText,       ///< anything that has a text form, to varchar
  kLiteral,    ///< text that must be a literal
  kDate,       ///< a date
  kTimestamp,  ///< a timestamp with or without zone, or a date
  kInterval,   ///< a fixed interval
  kMonths,     ///< a calendar interval literal
  kAny,        ///< anything, widened to the type common to all kAny arguments
};

enum class ResultType : uint8_t {
  kCommon,  ///< the type common to the kNumber, kFraction or kAny arguments
  kFirst,   ///< the first argument's, after its cast
  kSecond,
  kBoolean,
  kTinyint,
  kInteger,
  kBigint,
  kDouble,
  kVarchar,
  kDate,
  kTimestamp,
  kTimestampTz,
  kInterval,
};

enum class Arity : uint8_t {
  kFixed,   ///< `required` to `count` arguments
  kMany,    ///< the last parameter repeats
  kCase,    ///< boolean, value, ..., value
  kCaseOf,  ///< operand, candidate, value, ..., value: operand and candidates share a type, values
            ///< another
};

struct Params {
  std::array<Param, 6> kinds;
  uint8_t count = 0;
  uint8_t required = 0;
  Arity arity = Arity::kFixed;
};

/// A strict function's call over a batch: at least one argument is an array of `rows` values,
/// others may be scalars, none of them null unless the function takes nulls.
struct BatchCall {
  const Expression& expression;
  const std::vector<arrow::Datum>& args;
  int64_t rows;
  arrow::MemoryPool* pool;
};

using StrictBatch = arrow::Result<arrow::Datum> (*)(const BatchCall& call);
using LazyBatch = arrow::Result<arrow::Datum> (*)(const Expression& call, BatchRows* rows);
using StrictRow = arrow::Result<Value> (*)(const Expression& call, std::span<const Value> args);
using LazyRow = arrow::Result<Value> (*)(const Expression& call, const RowContext& row);

/// A strict function gets its arguments' values, a lazy one evaluates what it needs. Not
/// default-constructible, on purpose: see the top of the file.
template <class Strict, class Lazy>
struct Evaluator {
  constexpr Evaluator(Strict strict) : strict(strict) {}  // NOLINT: implicit, for the table
  constexpr Evaluator(Lazy lazy) : lazy(lazy) {}          // NOLINT
  Evaluator(std::nullptr_t) = delete;
  Strict strict = nullptr;
  Lazy lazy = nullptr;
};
using BatchEvaluator = Evaluator<StrictBatch, LazyBatch>;
using RowEvaluator = Evaluator<StrictRow, LazyRow>;

enum class Nulls : uint8_t {
  kPropagate,  ///< a null argument makes a null
  kTakes,      ///< the function sees nulls
};

enum class Failure : uint8_t { kNever, kPossible };

struct Function {
  std::string_view name;
  Params params;
  ResultType result;
  BatchEvaluator batch;
  RowEvaluator row;
  Failure failure;
  Nulls nulls;
};

/// Returns all functions; overloads of a name stand together, the preferred one first.
std::span<const Function> FunctionTable();

/// Returns the overloads of a lower-case name, aliases resolved; empty for an unknown name.
std::span<const Function> FindFunctions(std::string_view name);

/// Returns every name that a user may call, aliases included, sorted.
std::vector<std::string> FunctionNames();

/// Prints "substring(varchar, bigint [, bigint])".
std::string Signature(const Function& function);

}  // namespace viand::expression
