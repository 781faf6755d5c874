// Runs fragments on threads of this process. References hold tables in memory; nothing is copied on
// the way.
//
//   auto executor = MakeLocalExecutor({.threads = 2});
//   Backfill(plan, {.executor = executor.get()});
#pragma once

#include <memory>

#include "src/engine/executor.h"

namespace viand::distributed {

struct LocalExecutorOptions {
  int threads = 0;  ///< 0: as many as the machine has
};

/// Makes one. Results do not depend on `threads`; with 1 everything runs on the caller's thread.
std::unique_ptr<engine::Executor> MakeLocalExecutor(const LocalExecutorOptions& options = {});

}  // namespace viand::distributed
