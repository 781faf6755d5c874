#include "src/distributed/child_process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/common/cancellation.h"

extern char** environ;

namespace viand::distributed {
namespace {

/// A wait begins with short naps, since most fragments of a test are short, and grows to long ones.
constexpr long kShortestNapNanos = 200'000;
constexpr long kLongestNapNanos = 10'000'000;

arrow::Status Failed(const std::vector<std::string>& command, const std::string& how) {
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("a fragment's process {}: {}", how, fmt::join(command, " ")),
                   "its messages are above; is there enough memory?");
}

arrow::Status Outcome(int status, const std::vector<std::string>& command) {
  if (WIFSIGNALED(status))
    return Failed(command, fmt::format("was killed by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    return Failed(command, fmt::format("exited with {}", WEXITSTATUS(status)));
  return arrow::Status::OK();
}

}  // namespace

arrow::Status RunChildProcess(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error != 0) return Failed(command, fmt::format("did not start ({})", std::strerror(error)));
  arrow::Status cancelled;
  timespec nap{.tv_sec = 0, .tv_nsec = kShortestNapNanos};
  while (true) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return cancelled.ok() ? Outcome(status, command) : cancelled;
    if (ended < 0 && errno != EINTR)
      return Failed(command, fmt::format("was lost ({})", std::strerror(errno)));
    if (cancelled.ok()) {
      cancelled = CheckCancelled();
      // Its outputs go with the temporary folder, so nothing is lost by ending it at once.
      if (!cancelled.ok()) kill(child, SIGKILL);
    }
    nanosleep(&nap, nullptr);
    nap.tv_nsec = std::min(2 * nap.tv_nsec, kLongestNapNanos);
  }
}

}  // namespace viand::distributed
