// The expressions of a window view, bound to the columns of its source.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/plan.h"
#include "src/engine/window_aggregate.h"

namespace viand::engine {

/// Binds features, defaults and `having` to the columns of `schema` (plain types) for the window
/// kernel. Errors name the feature.
arrow::Result<WindowSpec> BindWindowSpec(const std::vector<PlannedFeature>& features,
                                         const TimeWindow& existence, const std::string& having,
                                         const std::shared_ptr<arrow::Schema>& schema,
                                         const std::string& described_as);

}  // namespace viand::engine
