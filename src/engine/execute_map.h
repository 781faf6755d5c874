// Runs a map fragment: scan, filter, deal out to partitions.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// As ExecuteFragment. Input 0 is scanned where there are no file parts.
arrow::Result<Tables> ExecuteMap(const MapFragment& map, const Tables& inputs,
                                 const FragmentContext& context);

}  // namespace viand::engine
