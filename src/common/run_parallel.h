// Runs numbered jobs on a few threads until they are done, one fails, or the user cancels.
#pragma once

#include <functional>

#include "src/common/error.h"
#include "src/common/progress.h"

namespace viand {

using ParallelJob = std::function<arrow::Status(size_t)>;

/// Calls job(0) ... job(count - 1), at most `threads` at a time, on the caller's thread where that
/// is one. After an error no further job starts; of several errors that of the lowest job is
/// returned. `progress`, unless null, advances by one a job.
arrow::Status RunParallel(size_t count, int threads, const ParallelJob& job, Progress* progress);

}  // namespace viand
