// The aggregates by name, and the types of their arguments and results.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/expression/expression.h"

namespace viand::expression {

/// Returns the aggregate of a lower-case name, aliases included.
std::optional<AggregateFunction> AggregateFromName(std::string_view name);

/// Returns every name of an aggregate.
std::vector<std::string> AggregateNames();

/// Gives the call its argument, cast to what the aggregate computes on, and its result's type.
arrow::Status TypeAggregate(const std::string& name, const SourceLocation& where,
                            ExpressionPtr argument, AggregateCall* call);

}  // namespace viand::expression
