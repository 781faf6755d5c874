#include "src/common/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "src/common/atomic_output.h"

namespace viand {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kTemporaryMark = ".tmp.";

std::string HintOf(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some disk space, then run the command again; nothing was half-written";
    case EFBIG:
      return "a limit bounds the size of files (ulimit -f, or the file system's): raise it, then "
             "run the command again; nothing was half-written";
    case EACCES:
    case EROFS:
    case EPERM:
      return "check that the folder is writable";
    case EIO:
      return "the disk failed; its kernel log (dmesg) says more, and nothing was half-written";
    default:
      return "";
  }
}

arrow::Status Failed(std::string_view what, const std::string& path, int error) {
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("cannot {} {}: {}", what, path, std::strerror(error)),
                   HintOf(error));
}

std::string FolderOf(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

std::string TemporaryName(const std::string& target) {
  static std::atomic<int> counter{0};
  return fmt::format("{}{}{}.{}", target, kTemporaryMark, getpid(), counter.fetch_add(1));
}

arrow::Status WriteError(const std::string& path, int error) {
  return Failed("write", path, error);
}

arrow::Status SyncPath(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed("open", path, errno);
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? arrow::Status::OK() : Failed("sync", path, error);
}

arrow::Status SyncPaths(const std::vector<std::string>& paths) {
  std::vector<arrow::Status> statuses(paths.size());
  std::vector<std::thread> threads;
  for (size_t i = 1; i < paths.size(); ++i)
    threads.emplace_back([&, i] { statuses[i] = SyncPath(paths[i]); });
  if (!paths.empty()) statuses[0] = SyncPath(paths[0]);
  for (std::thread& thread : threads) thread.join();
  for (const arrow::Status& status : statuses) VIAND_RETURN_NOT_OK(status);
  return arrow::Status::OK();
}

arrow::Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? Failed("make folder", path, error.value()) : arrow::Status::OK();
}

AtomicFile::AtomicFile(std::string target, std::string temporary)
    : target_(std::move(target)), temporary_(std::move(temporary)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : target_(std::move(other.target_)), temporary_(std::move(other.temporary_)) {
  other.temporary_.clear();
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

arrow::Result<AtomicFile> AtomicFile::Create(const std::string& target) {
  VIAND_RETURN_NOT_OK(MakeFolders(FolderOf(target)));
  while (true) {
    const std::string name = TemporaryName(target);
    const int fd = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    // A process of the same number, on another machine that shares the folder or before this one.
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return Failed("write", target, errno);
    close(fd);
    return AtomicFile(target, name);
  }
}

arrow::Status AtomicFile::Sync() const { return SyncPath(temporary_); }

arrow::Status AtomicFile::Rename() {
  if (rename(temporary_.c_str(), target_.c_str()) != 0) return Failed("write", target_, errno);
  temporary_.clear();
  return arrow::Status::OK();
}

arrow::Status AtomicFile::Commit() {
  VIAND_RETURN_NOT_OK(Sync());
  VIAND_RETURN_NOT_OK(Rename());
  return SyncPath(FolderOf(target_));
}

arrow::Status WriteFile(const std::string& path, std::string_view content) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return WriteError(path, errno);
  int error = 0;
  for (std::string_view rest = content; !rest.empty() && error == 0;) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) error = errno;
    if (written > 0) rest.remove_prefix(written);
  }
  if (close(fd) != 0 && error == 0) error = errno;
  return error == 0 ? arrow::Status::OK() : WriteError(path, error);
}

arrow::Status WriteFileAtomically(const std::string& path, std::string_view content) {
  VIAND_ASSIGN_OR_RETURN(const auto output, AtomicOutput::Open(path));
  VIAND_RETURN_NOT_OK(output->Write(content.data(), static_cast<int64_t>(content.size())));
  return output->Commit().status();
}

arrow::Result<std::string> ReadWholeFile(const std::string& path, int64_t limit_bytes) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) {
    return MakeError(ErrorKind::kInput, fmt::format("cannot read {}: {}", path, error.message()));
  }
  if (static_cast<int64_t>(size) > limit_bytes) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{} has {} bytes, the limit is {}", path, size, limit_bytes));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string content(size, '\0');
  if (!stream.read(content.data(), static_cast<std::streamsize>(size)))
    return Failed("read", path, errno);
  return content;
}

arrow::Status SwapSymlink(const std::string& link, const std::string& target) {
  const std::string temporary = TemporaryName(link);
  if (symlink(target.c_str(), temporary.c_str()) != 0) return Failed("make link", link, errno);
  if (rename(temporary.c_str(), link.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return Failed("swap link", link, error);
  }
  return SyncPath(FolderOf(link));
}

arrow::Status RemoveStaleTemporaries(const std::string& folder, const std::string& of) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const size_t mark = name.rfind(kTemporaryMark);
    if (mark == std::string::npos || (!of.empty() && name.substr(0, mark) != of)) continue;
    const std::string tail = name.substr(mark + kTemporaryMark.size());
    int pid = 0;
    const auto parsed = std::from_chars(tail.data(), tail.data() + tail.size(), pid);
    if (parsed.ec != std::errc() || pid <= 0 || pid == getpid()) continue;
    if (kill(pid, 0) == 0 || errno != ESRCH) continue;
    fs::remove_all(entry.path(), error);
  }
  return arrow::Status::OK();
}

}  // namespace viand
