// An exclusive lock that processes take by flock of a file made for it; the system releases it when
// its holder dies.
#pragma once

#include <string>

#include "src/common/error.h"

namespace viand::registry {

class FileLock {
 public:
  /// Waits up to `timeout_ms`; kEnvironment says that somebody else has it. ctrl-C ends the wait.
  static arrow::Result<FileLock> Take(const std::string& path, int timeout_ms);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace viand::registry
