#include "src/common/atomic_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "src/common/atomic_file.h"
#include "src/common/failpoint.h"

namespace viand {
namespace {

namespace fs = std::filesystem;

std::string ParentOf(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// Puts `from` in the place of `to`; what was there, if anything, is then at `from`. Returns errno.
int Swap(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return 0;
  if (errno != EEXIST && errno != ENOTEMPTY) return errno;
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  const std::string before = TemporaryName(to);
  if (rename(to.c_str(), before.c_str()) != 0) return errno;
  if (rename(from.c_str(), to.c_str()) != 0) {
    const int error = errno;
    rename(before.c_str(), to.c_str());
    return error;
  }
  return rename(before.c_str(), from.c_str()) == 0 ? 0 : errno;
}

}  // namespace

AtomicFolder::AtomicFolder(std::string target, std::string temporary)
    : target_(std::move(target)), temporary_(std::move(temporary)) {}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : target_(std::move(other.target_)), temporary_(std::exchange(other.temporary_, "")) {}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

arrow::Result<AtomicFolder> AtomicFolder::Create(const std::string& target) {
  VIAND_RETURN_NOT_OK(MakeFolders(ParentOf(target)));
  VIAND_RETURN_NOT_OK(RemoveStaleTemporaries(ParentOf(target), fs::path(target).filename()));
  while (true) {
    const std::string name = TemporaryName(target);
    if (mkdir(name.c_str(), 0777) == 0) return AtomicFolder(target, name);
    if (errno != EEXIST) return WriteError(target, errno);
  }
}

arrow::Status AtomicFolder::Commit() {
  VIAND_RETURN_NOT_OK(SyncPath(temporary_));
  VIAND_RETURN_NOT_OK(Failpoint("folder.swap"));
  if (const int error = Swap(temporary_, target_); error != 0) return WriteError(target_, error);
  VIAND_RETURN_NOT_OK(Failpoint("folder.swapped"));
  VIAND_RETURN_NOT_OK(SyncPath(ParentOf(target_)));
  std::error_code ignored;
  fs::remove_all(std::exchange(temporary_, ""), ignored);
  return arrow::Status::OK();
}

}  // namespace viand
