// The expressions of a view or of labels: conditions and features over base rows.
#pragma once

#include <optional>
#include <string>

#include "src/definition/base_rows.h"

namespace viand::definition {

/// Where the expressions stand and what they see. Over rows without a schema they are checked only.
struct AggregateScope {
  const BaseRows& rows;
  std::string owner;  ///< "feature view \"x\""
};

/// Binds `where`: a condition on base rows, without aggregates. Null where it is absent, broken or
/// not yet known.
ExpressionPtr BindRowCondition(const std::optional<Sql>& sql, const AggregateScope& scope,
                               ErrorList* errors);

/// Binds `having`: a condition over aggregates.
ExpressionPtr BindGroupCondition(const std::optional<Sql>& sql, const AggregateScope& scope,
                                 ErrorList* errors);

/// Binds the expression, type and default of a computed feature; `bound->feature` is set.
void BindAggregateFeature(const AggregateScope& scope, BoundFeature* bound, ErrorList* errors);

/// Binds the columns, type and default of a feature that a function makes, as above.
void BindFunctionFeature(const AggregateScope& scope, BoundFeature* bound, ErrorList* errors);

}  // namespace viand::definition
