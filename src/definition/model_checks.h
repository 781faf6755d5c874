// Models against their service, labels or spine.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "src/definition/service_columns.h"

namespace viand::definition {

using SpineColumns = std::function<SchemaResult(const std::string& path)>;
using ServiceColumns = std::map<std::string, std::vector<ServiceColumn>>;

/// Checks the names, the target, the types that a model can learn from, the keys, and the split.
void CheckModel(const Model& model, const BoundDefinitions& bound, const ServiceColumns& services,
                const SpineColumns& spine_columns, ErrorList* errors);

}  // namespace viand::definition
