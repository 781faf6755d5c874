#include "src/registry/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "src/common/atomic_file.h"
#include "src/common/cancellation.h"

namespace viand::registry {

arrow::Result<FileLock> FileLock::Take(const std::string& path, int timeout_ms) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return WriteError(path, errno);
  FileLock lock(descriptor);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return WriteError(path, errno);
    VIAND_RETURN_NOT_OK(CheckCancelled());
    if (std::chrono::steady_clock::now() > deadline)
      return MakeError(ErrorKind::kRegistry,
                       "locked by another process for longer than the time to wait",
                       "try again once the other viand has finished");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace viand::registry
