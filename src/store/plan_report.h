// The engine's plan tree as the API shows it.
#pragma once

#include "src/engine/explain.h"
#include "viand/plan_operator.h"

namespace viand::store {

PlanOperator ToPlanOperator(const engine::PlanNode& node);

}  // namespace viand::store
