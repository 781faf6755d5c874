// Runs a chain: its fragments one after another, each with tables of those before it.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// As ExecuteFragment. A table goes when the last step that takes it has.
arrow::Result<Tables> ExecuteChain(const ChainFragment& chain, const Tables& inputs,
                                   const FragmentContext& context);

}  // namespace viand::engine
