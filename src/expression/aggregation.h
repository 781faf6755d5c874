// A feature's expression cut at its aggregates: `floor_days(as_of - max(at))` becomes the call
// max(at) and the scalar floor_days(as_of - "$0").
#pragma once

#include <memory>
#include <vector>

#include "src/expression/expression.h"

namespace viand::expression {

struct Aggregation {
  std::vector<std::shared_ptr<const AggregateCall>> calls;  ///< equal calls are listed once
  std::shared_ptr<arrow::Schema> call_schema;  ///< "$0", "$1", ...: the calls' result types
  ExpressionPtr result;                        ///< over call_schema and as_of
};

/// Cuts a tree at its aggregates. A column outside every aggregate is an error at its place: a
/// feature is one value a (key, t), so a bare column has no meaning.
arrow::Result<Aggregation> SplitAggregates(const ExpressionPtr& expression);

}  // namespace viand::expression
