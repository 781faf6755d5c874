// Runs one fragment: the body of a task, the same on every executor.
#pragma once

#include <memory>
#include <vector>

#include "src/common/block_pool.h"
#include "src/engine/fragment.h"
#include "src/engine/plan_counters.h"

namespace arrow {
class MemoryPool;
class Table;
}  // namespace arrow

namespace viand::engine {

class KeptScans;  // kept_scans.h

using Tables = std::vector<std::shared_ptr<arrow::Table>>;

/// Where a fragment runs. Nothing here changes what comes out.
struct FragmentContext {
  bool decode_in_parallel =
      false;  ///< columns on Arrow's threads: where a stage has fewer fragments than cores
  arrow::MemoryPool* pool = ProcessPool();  ///< not null
  FragmentCounters* counters = nullptr;     ///< filled where not null
  KeptScans* kept = nullptr;                ///< what was read before, where nothing is counted
};

/// Returns OutputCount(fragment) tables that depend on the fragment and the inputs alone. Errors of
/// the user's data name the source and the file; inputs that do not fit the fragment are kInput.
arrow::Result<Tables> ExecuteFragment(const Fragment& fragment, const Tables& inputs,
                                      const FragmentContext& context = {});

}  // namespace viand::engine
