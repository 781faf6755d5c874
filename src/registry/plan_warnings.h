// What plan should tell about definitions that are right but may surprise.
#pragma once

#include <string>
#include <vector>

#include "src/definition/validation.h"

namespace viand::registry {

/// One sentence each: lapsed keys that are kept for ever, a ttl that Feast's duckdb store cannot
/// read, views whose rows plain Feast cannot see, types that are known only after ingest.
std::vector<std::string> DefinitionWarnings(const definition::BoundDefinitions& bound);

}  // namespace viand::registry
