// Deals the cutoffs of a grid out to tasks that each read the source themselves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/engine/open_scan.h"
#include "src/engine/plan.h"
#include "src/engine/time_range.h"

namespace viand::engine {

/// About how many rows of the source are within the range: those of row groups that may have some.
int64_t RowsWithin(const OpenedScan& source, const std::string& time_column,
                   const TimeRange& range);

/// Cuts the cutoffs of all plans, of which there is at least one, into at most so many groups of
/// about the same work: the last cutoff of each, ascending. Less work than is worth a task gets
/// fewer.
std::vector<int64_t> LastOfGroups(const std::vector<BackfillPlan>& plans, const OpenedScan& source,
                                  size_t most);

}  // namespace viand::engine
