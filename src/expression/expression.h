// The typed tree of an SQL expression: what definitions are made of, what both evaluators run.
//
// A tree is immutable and shared; it is made by Bind (binder.h) from a parsed text and the columns
// in scope, and printed back by ToSql, whose text binds to an equal tree under the same scope. That
// text is how plans carry expressions to other processes. Thread-safe.
//
//   ARROW_ASSIGN_OR_RAISE(ExpressionPtr e,
//                         ParseAndBind("amount * price", {.columns = schema}, where));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class DataType;
class Schema;
struct Scalar;
}  // namespace arrow

namespace viand::expression {

struct Expression;
struct AggregateCall;
struct Function;  // a row of the function table: function_table.h
using ExpressionPtr = std::shared_ptr<const Expression>;

enum class ExpressionKind {
  kLiteral,    ///< literal
  kColumn,     ///< name, column_index
  kAsOf,       ///< the row's time t: timestamp[us]
  kCall,       ///< function over children; operators, case, in, like, between are functions too
  kCast,       ///< children[0] to type
  kAggregate,  ///< aggregate: over the rows of a window (or of a group of `per`)
  kGap,  ///< children[0]: the set of values becomes its n-1 sorted differences; only inside an
         ///< aggregate
};

struct Expression {
  ExpressionKind kind;
  std::shared_ptr<arrow::DataType> type;
  SourceLocation where;  ///< of the text it came from

  std::shared_ptr<arrow::Scalar> literal;           // kLiteral
  std::string column;                               // kColumn
  int column_index = -1;                            // kColumn: in the scope's schema
  std::shared_ptr<const AggregateCall> stands_for;  // kColumn "$i": the aggregate whose value it is
  const Function* function = nullptr;               // kCall
  std::vector<ExpressionPtr> children;              // kCall, kCast, kGap
  bool null_on_failure = false;                     // kCast: try_cast
  std::shared_ptr<const AggregateCall> aggregate;   // kAggregate
};

/// Aggregates of DESIGN section 2. Numbers are written into plans: never change.
enum class AggregateFunction {
  kCount = 0,
  kCountDistinct = 1,
  kApproxCountDistinct = 2,
  kSum = 3,
  kAvg = 4,
  kMin = 5,
  kMax = 6,
  kFirst = 7,
  kLast = 8,
  kStddev = 9,
  kVar = 10,
  kQuantile = 11,  ///< median is quantile 0.5
  kAny = 12,       ///< boolean or
  kAll = 13,       ///< boolean and
  kMode = 14,
  kLastN = 15,
};

/// One aggregate over a window's rows: `agg(argument [where p] [order by e])`, or with `per`
/// `agg(scalar(inner(expr) per k1, k2 [where p]))`: rows that pass `where` are grouped by the keys,
/// `per_calls` make a row of values of each group, and `argument` reads those values as columns
/// "$0", "$1", ...
struct AggregateCall {
  AggregateFunction function;
  std::shared_ptr<arrow::DataType> type;  ///< of the result
  ExpressionPtr argument;                 ///< null for count(*); may hold one kGap
  ExpressionPtr where;                    ///< over base rows; null: all rows
  ExpressionPtr order_by;  ///< first, last, last_n: null means (timestamp, position in source)
  double quantile = 0.5;   ///< kQuantile
  int64_t count = 0;       ///< kLastN
  std::vector<ExpressionPtr> per_keys;  ///< over base rows; empty without `per`
  std::vector<std::shared_ptr<const AggregateCall>> per_calls;  ///< over a group's base rows
};

/// Prints the tree as SQL text that parses and binds to an equal tree.
std::string ToSql(const Expression& expression);

/// Names of the columns that the tree reads, aggregates' insides included; sorted, unique.
std::vector<std::string> ColumnsOf(const Expression& expression);

/// Returns the tree with every node, aggregates' insides included, at one place: that of the
/// definition which a canonical text came from.
ExpressionPtr PlacedAt(const ExpressionPtr& tree, const SourceLocation& where);

/// Tells whether the tree holds an aggregate.
bool HasAggregate(const Expression& expression);

}  // namespace viand::expression
