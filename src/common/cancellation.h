// ctrl-C. Long work polls CheckCancelled at batch granularity and unwinds as an ordinary error, so
// that destructors remove what is half-written.
#pragma once

#include "src/common/error.h"

namespace viand {

/// Installs handlers of SIGINT and SIGTERM that request cancellation; a second SIGINT kills the
/// process.
void InstallCancellationHandlers();

/// Asks running work to stop. Async-signal-safe.
void RequestCancellation();

/// Forgets an earlier request (a library that goes on after a cancelled call).
void ResetCancellation();

/// Returns kCancelled once cancellation was requested, OK otherwise. Cheap; thread-safe.
arrow::Status CheckCancelled();

}  // namespace viand
