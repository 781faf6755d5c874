// Runs a snapshot fragment: the rows of some cutoffs of a grid, merged and stored.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// Each file appears by rename, so that attempts may follow one another or run side by side.
arrow::Result<Tables> ExecuteSnapshot(const SnapshotFragment& snapshot, const Tables& inputs);

}  // namespace viand::engine
