// Syntax tree + columns in scope -> typed tree.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/expression/expression.h"
#include "src/expression/parser.h"

namespace viand::expression {

/// What an expression may refer to.
struct Scope {
  std::shared_ptr<arrow::Schema> columns;
  bool aggregates = false;  ///< aggregate calls, `per`, gap
  bool as_of = false;       ///< the name as_of
  bool open = false;  ///< there may be more columns, of unknown types: what can be checked before
                      ///< the data is there is checked, and the tree is not to be evaluated
  std::string described_as;  ///< "source transactions": for "unknown column x in ..."
};

/// Resolves names (case-sensitive), functions and types; inserts the casts that DuckDB would.
/// Errors name the place, what was expected, and the nearest column or function.
arrow::Result<ExpressionPtr> Bind(const SyntaxPtr& syntax, const Scope& scope);

/// Parses, then binds.
arrow::Result<ExpressionPtr> ParseAndBind(std::string_view text, const Scope& scope,
                                          const SourceLocation& where = {});

/// Returns the Arrow type of an SQL type name (bigint, integer, double, varchar, boolean,
/// timestamp, timestamptz, date, ...), case-insensitive; an error names the nearest.
arrow::Result<std::shared_ptr<arrow::DataType>> TypeFromSql(std::string_view name,
                                                            const SourceLocation& where = {});

/// Prints an Arrow type by its SQL name; Arrow's own name where SQL has none.
std::string TypeToSql(const arrow::DataType& type);

}  // namespace viand::expression
