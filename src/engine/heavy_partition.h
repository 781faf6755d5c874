// A partition of window aggregates that is too large for one fragment, or would be the whole job of
// one: a key has too many rows.
// Its events are cut by time into slices, and these summarized, by eights and again, where windows
// have all of their rows; each fragment takes sets of some times, the slices that the ends of their
// windows are in, and summaries of what is between. So aggregates that merge never fail; the
// windows of those that do not must fit a fragment.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/executor.h"
#include "src/engine/map_stage.h"
#include "src/engine/time_range.h"
#include "src/engine/window_estimate.h"

namespace viand::engine {

struct HeavyPartition {
  PartitionInputs spine;  ///< empty: a grid
  PartitionInputs events;
  std::vector<std::vector<int64_t>> cutoffs_us;  ///< of each task, for a grid
  TimeRange times;                               ///< of the spine's rows
};

/// A fragment, and what it takes by estimate.
struct SizedCall {
  FragmentCall call;
  int64_t bytes = 0;
};

/// Cuts the partition and summarizes its events: the fragments that are left to run, at least one,
/// each of about `wanted_bytes` or less where that can be. kInput, naming feature, key and bytes,
/// where a window must be in memory whole and is too large.
arrow::Result<std::vector<SizedCall>> CutPartition(HeavyPartition partition, int64_t wanted_bytes,
                                                   const WindowFragment& prototype,
                                                   const std::shared_ptr<arrow::Schema>& spine,
                                                   const WindowEstimate& estimate,
                                                   const ExecuteOptions& options);

}  // namespace viand::engine
