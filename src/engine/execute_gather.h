// Runs a gather fragment: reads the columns of the rows that an as-of join found, and nothing of
// row groups in which it found none.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// As ExecuteFragment.
arrow::Result<Tables> ExecuteGather(const GatherFragment& gather, const Tables& inputs,
                                    const FragmentContext& context);

}  // namespace viand::engine
