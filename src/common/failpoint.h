// Places where a test makes the process die, fail or be interrupted: crash tests that hit the
// moment they mean.
//
//   VIAND_FAILPOINT=backfill.part:3:kill viand backfill      dies by SIGKILL the third time the
//   place is passed
//
// Without the variable a failpoint costs one comparison.
#pragma once

#include <string_view>

#include "src/common/error.h"

namespace viand {

/// Counts a pass of the place `name`. When VIAND_FAILPOINT names it and the count is reached:
/// `kill` raises SIGKILL, `interrupt` raises SIGINT, `mark` says so on standard error, for whoever
/// means to kill it a moment later, `error` returns kEnvironment "no space left on
/// device".
arrow::Status Failpoint(std::string_view name);

}  // namespace viand
