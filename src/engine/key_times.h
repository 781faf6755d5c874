// The keys and times of a view's rows: what a spine is made of where none is given.
#pragma once

#include <memory>

#include "src/engine/execute.h"
#include "src/engine/time_range.h"

namespace arrow {
class MemoryPool;
}

namespace viand::engine {

/// Reads keys (named as the lookup's spine keys, in their order) and event_timestamp (the source's
/// type) of the rows of a lookup's source that pass its filter, lie in `range`, and have no null
/// key; in row order.
arrow::Result<std::shared_ptr<arrow::Table>> ReadKeyTimes(const Lookup& lookup,
                                                          const TimeRange& range,
                                                          const ExecuteOptions& options);

/// Leaves the first of equal rows, compared by value as join keys are; a null equals a null.
arrow::Result<std::shared_ptr<arrow::Table>> DistinctRows(
    const std::shared_ptr<arrow::Table>& table, arrow::MemoryPool* pool);

}  // namespace viand::engine
