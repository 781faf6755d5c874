// What validation asks of the files of a repo: their columns, without reading their rows.
#pragma once

#include <string>

#include "src/definition/validation.h"

namespace viand::store {

/// Looks at the files below `root`. Keeps a copy of it.
definition::FilesOnDisk FilesBelow(const std::string& root);

}  // namespace viand::store
