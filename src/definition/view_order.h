// The order in which views can be bound: each after the view that it reads.
#pragma once

#include <vector>

#include "src/definition/error_list.h"
#include "src/definition/model.h"

namespace viand::definition {

/// Returns the indices of all views that are in no cycle and read from none, upstream first; each
/// cycle is one error with its path, "a -> b -> a".
std::vector<size_t> OrderViews(const Definitions& definitions, ErrorList* errors);

}  // namespace viand::definition
