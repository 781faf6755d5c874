// Backfills of little data: each task reads the source itself, aggregates and stores some of the
// cutoffs (ChainFragment). Tasks read the same rows again, but none waits for others, and no table
// goes from one to another: that costs 10 to 15 ms a stage, which is what a hundred thousand rows
// take. The files are the same.
#pragma once

#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/open_scan.h"

namespace viand::engine {

/// Tells whether so little is read, from files, and computed of it.
arrow::Result<bool> WorthChains(const std::vector<BackfillPlan>& plans, const OpenedScan& source,
                                const ExecuteOptions& options);

/// As BackfillToFiles. `source` as it was opened.
arrow::Result<std::vector<std::vector<PartFile>>> RunChains(
    const std::vector<BackfillPlan>& plans, const std::vector<std::vector<std::string>>& paths,
    const OpenedScan& source, const ExecuteOptions& options);

}  // namespace viand::engine
