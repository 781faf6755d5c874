// Starts a program and waits for it, giving way to ctrl-C.
#pragma once

#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand::distributed {

/// Runs a command (program, arguments) to its end; kEnvironment where it cannot start, exits with
/// another code than 0, or is killed. On cancellation the child is ended first. Thread-safe.
arrow::Status RunChildProcess(const std::vector<std::string>& command);

}  // namespace viand::distributed
