// One lookup of ready feature rows as of the spine's rows, in three stages: the keys and times of
// the features are dealt out like the spine's, each partition is joined, and only then are the
// feature columns read, of the rows that were found.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/map_stage.h"
#include "src/engine/time_range.h"

namespace viand::engine {

/// The spine that a lookup is for.
struct PartitionedSpine {
  const std::vector<PartitionInputs>& partitions;  ///< keys..., time, row number
  const TimeRange& range;                          ///< of its times
  std::vector<KeyBound> key_bounds;
  PartitionInputs wanted_keys;  ///< MapRequest::wanted_keys
  int64_t rows = 0;
  RowChunks chunks;
  int64_t rows_at_a_time = 1;  ///< that are put together
  int lookup = 0;              ///< of the plan: as what the stages are counted
};

/// Tables (row number, columns...), each ascending by row number. A row number without a match is
/// in none, or has nulls; every other is in one.
struct AsOfPieces {
  std::shared_ptr<arrow::Schema> columns;           ///< plain types, without the row number
  std::vector<std::vector<TableReference>> chunks;  ///< of the spine
};

/// `keys` are the view's, in the order of the spine's.
arrow::Result<AsOfPieces> LookUpAsOf(const AsOfView& view, const std::vector<std::string>& keys,
                                     const PartitionedSpine& spine, OpenedScan* source,
                                     const ExecuteOptions& options);

}  // namespace viand::engine
