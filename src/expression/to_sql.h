// Parts of ToSql (expression.h) that errors and other rooms' texts use too.
#pragma once

#include <string>
#include <string_view>

#include "src/expression/expression.h"
#include "src/expression/value.h"

namespace viand::expression {

/// Prints a value of a type as SQL that reads back as the same value and type.
std::string LiteralToSql(const Value& value, const arrow::DataType& type);

/// Prints a column's name, quoted where it needs to be.
std::string NameToSql(std::string_view name);

/// Prints an aggregate call.
std::string ToSql(const AggregateCall& call);

/// Prints a tree for people: what stands for an aggregate (Aggregation, `per`) prints as it.
std::string ShownSql(const Expression& expression);

/// Returns the head of a text that is too long to show whole in an error.
std::string Shortened(std::string text);

/// Returns the name by which an aggregate is written.
std::string_view AggregateName(AggregateFunction function);

}  // namespace viand::expression
