// The tree of a plan for people and for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "src/cli/terminal.h"
#include "viand/plan_operator.h"

namespace viand::cli {

/// Draws the tree: a line an operator with its figures beside it, its details below.
std::string PlanTreeText(const PlanOperator& plan, const Terminal& terminal);

/// The same with every figure.
nlohmann::json ToJson(const PlanOperator& plan);

}  // namespace viand::cli
