// A plan against the registry: text for people, JSON for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "src/cli/terminal.h"
#include "viand/feature_store.h"

namespace viand::cli {

/// The difference object by object, its warnings, what becomes stale, and a line that sums it up.
std::string PlanText(const PlanReport& report, const Terminal& terminal);

nlohmann::json ToJson(const PlanReport& report);

}  // namespace viand::cli
