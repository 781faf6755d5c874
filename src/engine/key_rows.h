// Spines that are made of others' keys: of views' rows where no spine is given, of a spine's own
// where each key counts once. The executor holds them; none passes through the driver.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/held_rows.h"
#include "src/engine/time_range.h"

namespace viand::engine {

/// Which rows of views make a spine.
struct KeyTimes {
  std::vector<const Lookup*> lookups;  ///< at least one; all have the same spine keys
  TimeRange range;                     ///< both ends bind
  bool every_row = false;              ///< else each key once, at the end of the range
  std::string time;                    ///< name of its time column
};

/// Returns the keys (named as the first lookup's spine keys, in their order) and the time, in UTC,
/// of the rows of the lookups' sources that pass their filters, lie in the range, and have no null
/// key; equal rows once. Ordered by the time, where every row counts, and the keys. A time keeps
/// its nanoseconds: cut off, it would lie before its own row. kInput where keys of two sources are
/// of types that do not compare.
arrow::Result<std::shared_ptr<const HeldRows>> RowsOfKeys(const KeyTimes& wanted,
                                                          const ExecuteOptions& options);

struct StampedKeys {
  std::shared_ptr<const HeldRows> rows;  ///< the keys, and event_timestamp
  int64_t time_us = 0;
};

/// Returns each combination of a spine's `keys` without a null once, in order of first appearance,
/// at `time_us`, or where it is not given at the spine's greatest time. kInput where it has no such
/// column, or no time.
arrow::Result<StampedKeys> FirstKeys(const Scan& spine, const std::string& timestamp_column,
                                     const std::vector<std::string>& keys,
                                     std::optional<int64_t> time_us, const ExecuteOptions& options);

}  // namespace viand::engine
