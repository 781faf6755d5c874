// ctrl-C. Long work polls CheckCancelled at batch granularity and unwinds as an ordinary error, so
// that destructors remove what is half-written.
//
// A request is the process's (a signal's), or that of one caller, who has a token of its own:
//
//   const CancellationScope scope(token);  // what this thread does now is the caller's work
//   ...                                    // token->store(true) on another thread stops it
//
// Whatever starts threads hands the token on (RunParallel and RunOrdered do).
#pragma once

#include <atomic>
#include <memory>

#include "src/common/error.h"

namespace viand {

/// Installs handlers of SIGINT and SIGTERM that request cancellation; a second SIGINT kills the
/// process.
void InstallCancellationHandlers();

/// Asks all running work of the process to stop. Async-signal-safe.
void RequestCancellation();

/// Forgets an earlier request (a library that goes on after a cancelled call).
void ResetCancellation();

/// Returns kCancelled once cancellation was requested of the process or of whom this thread works
/// for, OK otherwise. Cheap; thread-safe.
arrow::Status CheckCancelled();

/// True: whoever has it wants its work to stop.
using CancellationToken = std::shared_ptr<std::atomic<bool>>;

/// Returns the token of whom this thread works for; null: nobody's.
CancellationToken CurrentCancellation();

/// What this thread does while it lives is work for the token's owner.
class CancellationScope {
 public:
  explicit CancellationScope(CancellationToken token);
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  CancellationToken outer_;
};

}  // namespace viand
