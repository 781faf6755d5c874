// The last stage of window aggregates: a fragment a partition; several, of slices of time, where a
// key has more rows than one may take.
//
// What a fragment takes is estimated from its rows (window_estimate.h). A quarter of the budget is
// for the fragments that run beside each other; one that exceeds its share of it runs alone, and
// may take half of the budget. A partition that exceeds even that is cut by time
// (heavy_partition.h); the result is the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/executor.h"
#include "src/engine/map_stage.h"
#include "src/engine/time_range.h"

namespace viand::engine {

struct WindowStage {
  WindowFragment prototype;              ///< of every partition, with all tasks and cutoffs
  std::shared_ptr<arrow::Schema> spine;  ///< of the spine's tables, row number last; null: a grid
  std::vector<PartitionInputs> spine_parts;  ///< by partition; empty: a grid
  std::vector<PartitionInputs> events;       ///< by partition
  TimeRange times;                           ///< of the spine's rows
  OperatorId operation;
  std::string described_as;  ///< the views: `feature view "x"`
};

/// Runs it: the outputs of each fragment, in no order that results may depend on. kInput, naming
/// feature, key and bytes, where one key's window exceeds what a fragment may take.
arrow::Result<std::vector<std::vector<TableReference>>> RunWindowStage(
    WindowStage stage, const ExecuteOptions& options);

/// The schema of outputs `first` to `first + count` of each fragment, which all have the same:
/// fetches the one with the fewest rows, or none of its rows where these are many.
arrow::Result<std::shared_ptr<arrow::Schema>> SchemaOfOutputs(
    const std::vector<std::vector<TableReference>>& outputs, size_t first, size_t count,
    Executor* executor);

}  // namespace viand::engine
