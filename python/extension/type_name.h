// Names of Arrow's types as people read them.
#pragma once

#include <string>

#include "viand/table.h"

namespace viand::python {

/// "int64", "double", "string", "timestamp[us, UTC]", "list<int64>", "dictionary<string>", ...; a
/// format that is not known stands for itself.
std::string TypeName(const ArrowSchema& schema);

}  // namespace viand::python
