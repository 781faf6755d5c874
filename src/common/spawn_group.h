// Starts a program in a process group of its own: ctrl-C in a terminal reaches this program alone,
// and kill(-pid, SIGKILL) ends the program with all that it started.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace viand {

/// A descriptor that a program finds open.
struct GivenDescriptor {
  int ours = -1;    ///< -1: /dev/null, to read
  int theirs = -1;  ///< its number in the program
};

/// Starts command[0], looked up in $PATH, with `given` and whatever else of ours is not closed on
/// exec. Returns 0 and sets `pid`, or errno. Thread-safe.
int SpawnGroup(const std::vector<std::string>& command, const std::vector<GivenDescriptor>& given,
               pid_t* pid);

}  // namespace viand
