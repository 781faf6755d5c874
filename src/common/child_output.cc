#include "src/common/child_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "src/common/cancellation.h"
#include "src/common/spawn_group.h"

namespace viand {
namespace {

constexpr size_t kKeptErrorBytes = 64 << 10;
// How long a cancellation or a timeout may go unseen.
constexpr int kPollMillis = 50;

/// A pipe whose ends close with it; the child gets copies of its end.
struct Pipe {
  Pipe() { ok = pipe2(ends.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    Close(0);
    Close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void Close(int end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends = {-1, -1};
  bool ok = false;
};

/// Appends what is there to read; false at the end of the stream.
bool Take(int descriptor, std::string* text) {
  std::array<char, 1 << 16> buffer;
  const ssize_t count = read(descriptor, buffer.data(), buffer.size());
  if (count > 0) text->append(buffer.data(), count);
  return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
}

bool HasEnded(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/// Reads both streams until they end or there is a reason to stop. What the child left running may
/// hold its standard error open: that is not waited for.
arrow::Status Listen(const ChildCommand& child, pid_t pid, Pipe* out, Pipe* error,
                     ChildOutput* said) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(child.timeout_seconds);
  while (out->ends[0] >= 0 || error->ends[0] >= 0) {
    std::array<pollfd, 2> waits = {{{out->ends[0], POLLIN, 0}, {error->ends[0], POLLIN, 0}}};
    const int ready = poll(waits.data(), waits.size(), kPollMillis);
    VIAND_RETURN_NOT_OK(CheckCancelled());
    said->timed_out = Clock::now() > end;
    said->beyond_limit = said->standard_output.size() > child.output_limit_bytes;
    if (said->timed_out || said->beyond_limit) return arrow::Status::OK();
    if (ready == 0 && out->ends[0] < 0 && HasEnded(pid)) return arrow::Status::OK();
    if (ready <= 0) continue;
    if (waits[0].revents != 0 && !Take(out->ends[0], &said->standard_output)) out->Close(0);
    if (waits[1].revents != 0 && !Take(error->ends[0], &said->standard_error)) error->Close(0);
    if (said->standard_error.size() > 2 * kKeptErrorBytes)
      said->standard_error.erase(0, said->standard_error.size() - kKeptErrorBytes);
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<ChildOutput> RunForOutput(const ChildCommand& child) {
  ChildOutput said;
  Pipe out, error;
  pid_t pid = 0;
  said.start_error =
      out.ok && error.ok
          ? SpawnGroup(child.command, {{-1, 0}, {out.ends[1], 1}, {error.ends[1], 2}}, &pid)
          : errno;
  if (said.start_error != 0) return said;
  out.Close(1);
  error.Close(1);
  const arrow::Status listened = Listen(child, pid, &out, &error, &said);
  // Its streams are closed: it has ended or has nothing more to say.
  const bool stopped = !listened.ok() || said.timed_out || said.beyond_limit;
  if (stopped) kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  VIAND_RETURN_NOT_OK(listened);
  if (stopped) return said;
  if (WIFSIGNALED(status)) said.signal = WTERMSIG(status);
  if (WIFEXITED(status)) said.exit_code = WEXITSTATUS(status);
  return said;
}

}  // namespace viand
