// Chooses among the functions of a name by the types of the arguments, and inserts the casts that
// DuckDB would.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/expression/expression.h"
#include "src/expression/sql_types.h"

namespace viand::expression {

/// A bound argument. A bare literal adapts to its neighbours: 3 beside a smallint is a smallint,
/// '2011-01-01' beside a date is a date.
struct Argument {
  enum class Literal { kNone, kInteger, kText };
  ExpressionPtr tree;
  Literal literal = Literal::kNone;
};

/// Makes a literal node.
arrow::Result<ExpressionPtr> MakeLiteral(std::shared_ptr<arrow::Scalar> value,
                                         const SourceLocation& where);

/// Casts a tree, or returns it where it has the type; the cast of a literal is done at once. Fails
/// where there is no such cast.
arrow::Result<ExpressionPtr> MakeCast(const ExpressionPtr& tree, const TypePtr& type,
                                      const SourceLocation& where, bool null_on_failure = false);

/// Makes the call of a scalar function; `name` exists in the table. Fails where no overload takes
/// the arguments.
arrow::Result<ExpressionPtr> MakeCall(const std::string& name, const SourceLocation& where,
                                      const std::vector<Argument>& args);

}  // namespace viand::expression
