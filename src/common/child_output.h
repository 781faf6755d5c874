// Runs a program to its end and keeps what it says: for programs that answer a question.
//
//   ARROW_ASSIGN_OR_RAISE(ChildOutput said, RunForOutput({.command = {"python3", "-V"}}));
#pragma once

#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand {

struct ChildCommand {
  std::vector<std::string> command;  ///< the program, looked up in $PATH, and its arguments
  double timeout_seconds = 60;
  size_t output_limit_bytes = 64 << 20;  ///< of standard output
};

struct ChildOutput {
  int start_error = 0;        ///< errno where the program did not start
  int exit_code = 0;          ///< where it ended by itself
  int signal = 0;             ///< that ended it
  bool timed_out = false;     ///< ended here, at its timeout
  bool beyond_limit = false;  ///< ended here, for its output went beyond the limit
  std::string standard_output;
  std::string standard_error;  ///< the last 64 KiB
};

/// Runs the program with no standard input. Whatever it starts ends with it where it is ended here:
/// at its timeout, at the limit of its output, and on cancellation, which is kCancelled. How it
/// ended is in the result. Thread-safe.
arrow::Result<ChildOutput> RunForOutput(const ChildCommand& child);

}  // namespace viand
