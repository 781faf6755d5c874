// In which fields two JSON texts differ, as people name the fields.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "src/registry/plan.h"

namespace viand::registry {

/// Parses JSON that the registry holds; kInput where it is none.
arrow::Result<nlohmann::json> ParseJson(std::string_view text);

/// Returns one change for every field that differs: "features.monetary.expr", `sum(x)` -> `max(x)`.
/// Elements of an array are matched by their "alias", "view" or "name" where each has one and all
/// differ, else the arrays are compared whole; elements in another order alone make one change, of
/// their names. Null stands for an absent value.
std::vector<FieldChange> DiffJson(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace viand::registry
