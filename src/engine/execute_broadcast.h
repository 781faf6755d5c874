// Runs a broadcast fragment: scans a chunk of the spine and looks its rows up in all features.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// As ExecuteFragment.
arrow::Result<Tables> ExecuteBroadcast(const BroadcastFragment& broadcast, const Tables& inputs,
                                       const FragmentContext& context);

}  // namespace viand::engine
