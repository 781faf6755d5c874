#include "src/distributed/ray_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

#include "src/common/python_program.h"
#include "src/common/spawn_group.h"

namespace viand::distributed {
namespace {

/// Ray takes a second or two to stop.
constexpr auto kMostWait = std::chrono::seconds(20);
constexpr auto kNap = std::chrono::milliseconds(10);
constexpr size_t kShownBytes = 2000;
/// Of what is looked through for the last lines that say something.
constexpr off_t kReadBytes = 64 << 10;

/// A line of Ray's about its own insides: what it counts, and where its code was.
bool IsOfRaysInsides(std::string_view line) {
  return line.find("[state-dump]") != std::string_view::npos ||
         line.find(".so(") != std::string_view::npos || line.find("(raylet) ") == 0;
}

/// The lines of `text` that a person can use, without colours.
std::string Readable(std::string_view text) {
  std::string plain, readable;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033')
      i = std::min(text.find('m', i), text.size());
    else
      plain += text[i];
  }
  for (size_t begin = 0; begin < plain.size();) {
    const size_t end = std::min(plain.find('\n', begin), plain.size());
    const std::string_view line = std::string_view(plain).substr(begin, end - begin);
    if (!IsOfRaysInsides(line)) readable.append(line).append("\n");
    begin = end + 1;
  }
  return readable;
}

}  // namespace

arrow::Result<std::unique_ptr<RayProcess>> RayProcess::Start(const std::string& python) {
  std::unique_ptr<RayProcess> process(new RayProcess());
  process->python_ = python.empty() ? PythonProgram() : python;
  std::array<int, 2> ends = {-1, -1};
  process->said_ = memfd_create("viand.ray", MFD_CLOEXEC);
  int failed = process->said_ < 0 ? errno : 0;
  if (failed == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    failed = errno;
  process->socket_ = ends[0];
  process->ended_ = true;
  if (failed == 0) {
    failed = SpawnGroup({process->python_, "-P", "-m", "viand.ray"},
                        {{ends[1], 0}, {process->said_, 1}, {process->said_, 2}}, &process->pid_);
  }
  if (ends[1] >= 0) ::close(ends[1]);
  if (failed != 0) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("the Python that speaks with Ray, {}, does not start: {}",
                                 process->python_, std::strerror(failed)),
                     "install Python 3.11 or later with the packages viand and ray, or name it in "
                     "$VIAND_PYTHON");
  }
  process->ended_ = false;
  return process;
}

int RayProcess::TakeSocket() { return std::exchange(socket_, -1); }

bool RayProcess::HasEnded() {
  int status = 0;
  if (!ended_) ended_ = waitpid(pid_, &status, WNOHANG) != 0;
  return ended_;
}

RayProcess::~RayProcess() {
  if (socket_ >= 0) ::close(socket_);
  const auto end = std::chrono::steady_clock::now() + kMostWait;
  while (!HasEnded() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kNap);
  if (!HasEnded()) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (said_ >= 0) ::close(said_);
}

std::string RayProcess::Said() const {
  const off_t end = ::lseek(said_, 0, SEEK_END);
  const off_t begin = std::max<off_t>(0, end - kReadBytes);
  std::string text(end - begin, '\0');
  const ssize_t count = ::pread(said_, text.data(), text.size(), begin);
  text.resize(std::max<ssize_t>(count, 0));
  text = Readable(text);
  if (text.size() > kShownBytes) text.erase(0, text.size() - kShownBytes);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

arrow::Status RayProcess::NoAnswer() {
  const std::string said = Said();
  const std::string last = said.substr(said.rfind('\n') + 1);
  if (last.find("No module named") != std::string::npos &&
      last.find("viand") != std::string::npos) {
    return MakeError(
        ErrorKind::kEnvironment,
        fmt::format("the Python that speaks with Ray, {}, does not have the package viand",
                    python_),
        fmt::format("install it: {} -m pip install viand ray, or name the Python that has both in "
                    "$VIAND_PYTHON",
                    python_));
  }
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("the Python that speaks with Ray, {}, ended{}", python_,
                  said.empty() ? "" : ":\n" + said),
      "Ray ends a driver whose cluster it has lost; nothing is half-written: run the same "
      "command again to go on");
}

}  // namespace viand::distributed
