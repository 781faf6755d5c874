// Runs fragments on threads of this process. References hold tables in memory, and nothing is
// copied on the way; where memory is short they go to disk until a fragment takes them.
//
//   auto executor = MakeLocalExecutor({.threads = 2});
//   Backfill(plan, {.executor = executor.get()});
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "src/engine/executor.h"

namespace viand::distributed {

struct LocalExecutorOptions {
  int threads = 0;           ///< 0: as many as the machine has
  int64_t memory_bytes = 0;  ///< the budget; 0: no bound. Of any size: one byte spills everything
  std::string temporary_folder = "/tmp";  ///< of what does not fit
};

/// Makes one. Results do not depend on the options; with 1 thread everything runs on the caller's
/// thread.
std::unique_ptr<engine::Executor> MakeLocalExecutor(const LocalExecutorOptions& options = {});

}  // namespace viand::distributed
