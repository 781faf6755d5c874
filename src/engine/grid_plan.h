// What backfills of views that share a pass (execute.h) are made of, however they are cut.
#pragma once

#include <memory>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/fragment.h"
#include "src/engine/map_stage.h"
#include "src/engine/open_scan.h"
#include "src/engine/plan.h"
#include "src/engine/shared_pass.h"

namespace viand::engine {

/// The plans' views, each with the times of its cutoffs. The plans must outlive them.
std::vector<PassView> ViewsOf(const std::vector<BackfillPlan>& plans);

/// Aggregates of all plans over tables of the schema.
WindowFragment WindowsOf(const std::vector<BackfillPlan>& plans,
                         const std::shared_ptr<arrow::Schema>& events);

/// The keys as the source has them, which is how they are stored: SelectColumns has found them.
std::shared_ptr<arrow::Schema> StoredKeys(const std::vector<BackfillPlan>& plans,
                                          const OpenedScan& source);

/// Rows that are merged and written at a time.
int64_t StoredBatchRows(const ExecuteOptions& options);

}  // namespace viand::engine
