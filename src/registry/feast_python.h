// Objects of the registry -> the definitions.py that makes Feast apply the same.
#pragma once

#include <string>
#include <vector>

#include "src/registry/registry.h"

namespace viand::registry {

/// Prints a program of Feast 0.67's Python: entities, file sources, feature views on the files of
/// their rows, services. Tags of viand's are left out: what Feast applies from it is Feast's. What
/// has no such form (functions, other kinds of sources) is told in comments at the top.
arrow::Result<std::string> FeastPython(const std::string& project,
                                       const std::vector<StoredObject>& objects);

}  // namespace viand::registry
