// Runs a window fragment: one partition's window aggregates.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// As ExecuteFragment.
arrow::Result<Tables> ExecuteWindow(const WindowFragment& window, const Tables& inputs,
                                    const FragmentContext& context);

}  // namespace viand::engine
