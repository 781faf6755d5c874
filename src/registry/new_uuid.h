// Random UUIDs, as Feast gives projects, versions and registry files.
#pragma once

#include <string>

namespace viand::registry {

/// Version 4, in lower case: "0b0cc5b0-7a3e-4d5a-9a63-1c3e0d2f4b5a".
std::string NewUuid();

}  // namespace viand::registry
