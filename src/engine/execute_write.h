// Runs a write fragment: a part of a result, put together and written where it belongs.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// The file appears by rename under its name, so a second attempt may run after a first, or beside
/// it, and a torn file is never seen.
arrow::Result<Tables> ExecuteWrite(const WriteFragment& write, const Tables& inputs,
                                   const FragmentContext& context);

}  // namespace viand::engine
