// Models against their service, labels or spine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/definition/service_columns.h"

namespace viand::definition {

using ServiceColumns = std::map<std::string, std::vector<ServiceColumn>>;

/// Checks the names, the target, the types that a model can learn from, the keys, and the split.
void CheckModel(const Model& model, const BoundDefinitions& bound, const ServiceColumns& services,
                const SchemaOnDisk& schema_on_disk, ErrorList* errors);

}  // namespace viand::definition
