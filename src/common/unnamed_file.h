// Files without a name: however the process ends, nothing is left of them.
#pragma once

#include <string>

#include "src/common/error.h"

namespace viand {

/// Opens a new one for reading and writing; returns its descriptor. kEnvironment where the folder
/// cannot be written.
arrow::Result<int> OpenUnnamedFile(const std::string& folder);

}  // namespace viand
