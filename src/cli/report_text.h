// Reports of the API -> tables for people, JSON for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "src/cli/terminal.h"
#include "viand/feature_store.h"

namespace viand::cli {

std::string StepTable(const std::vector<StepReport>& steps, const Terminal& terminal);
std::string ModelText(const TrainReport& report, const Terminal& terminal);
/// One line each, "  warning: ...".
std::string WarningLines(const std::vector<std::string>& warnings, const Terminal& terminal);

nlohmann::json ToJson(const StepReport& step);
nlohmann::json ToJson(const std::vector<StepReport>& steps);
nlohmann::json ToJson(const TrainReport& report);
nlohmann::json ToJson(const PredictReport& report);

}  // namespace viand::cli
