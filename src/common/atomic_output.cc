#include "src/common/atomic_output.h"

#include <arrow/filesystem/filesystem.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "src/common/data_location.h"

namespace viand {
namespace {

constexpr int64_t kStartedAtATimeBytes = 8 << 20;

}  // namespace

arrow::Result<std::shared_ptr<AtomicOutput>> AtomicOutput::Open(const std::string& path) {
  if (IsRemotePath(path)) {
    VIAND_ASSIGN_OR_RETURN(const DataLocation location, LocateData(path));
    auto upload = location.filesystem->OpenOutputStream(location.path);
    if (!upload.ok()) return StorageError(upload.status(), path, "", "", "cannot write");
    return std::shared_ptr<AtomicOutput>(new AtomicOutput(path, *std::move(upload)));
  }
  VIAND_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  const int descriptor = ::open(file.temporary_path().c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return WriteError(path, errno);
  return std::shared_ptr<AtomicOutput>(new AtomicOutput(path, std::move(file), descriptor));
}

AtomicOutput::AtomicOutput(std::string path, AtomicFile file, int descriptor)
    : path_(std::move(path)),
      file_(std::move(file)),
      descriptor_(descriptor),
      replaced_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}

AtomicOutput::AtomicOutput(std::string path, std::shared_ptr<arrow::io::OutputStream> upload)
    : path_(std::move(path)), upload_(std::move(upload)) {}

AtomicOutput::~AtomicOutput() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (replaced_ >= 0) ::close(replaced_);
  // What a store has of an upload that is not complete is thrown away; if that fails too, nobody
  // sees it all the same.
  if (upload_ != nullptr && !visible_) (void)upload_->Abort();
}

arrow::Status AtomicOutput::Failure() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failure_;
}

arrow::Status AtomicOutput::Remember(arrow::Status failure) {
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_ = failure;
  return failure;
}

arrow::Status AtomicOutput::Fail(int error) { return Remember(WriteError(path_, error)); }

arrow::Status AtomicOutput::FailUpload(const arrow::Status& status) {
  return Remember(StorageError(status, path_, "", "", "cannot write"));
}

arrow::Status AtomicOutput::Write(const void* bytes, int64_t count) {
  VIAND_RETURN_NOT_OK(Failure());
  if (closed()) return arrow::Status::Invalid("a write to a closed file");
  if (upload_ != nullptr) {
    size_bytes_ += count;
    const arrow::Status written = upload_->Write(bytes, count);
    return written.ok() ? written : FailUpload(written);
  }
  const char* next = static_cast<const char*>(bytes);
  for (int64_t left = count; left > 0;) {
    const ssize_t written = ::write(descriptor_, next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(errno);
    next += written;
    left -= written;
    size_bytes_ += written;
  }
  StartToDisk();
  return arrow::Status::OK();
}

/// Lets the disk work while the rest is written, so that the sync at the end has little to wait
/// for. Only a hint: the sync tells what failed.
void AtomicOutput::StartToDisk() {
  if (size_bytes_ - started_bytes_ < kStartedAtATimeBytes) return;
  ::sync_file_range(descriptor_, started_bytes_, size_bytes_ - started_bytes_,
                    SYNC_FILE_RANGE_WRITE);
  ForgetReplaced(started_bytes_, size_bytes_);
  started_bytes_ = size_bytes_;
}

/// Drops what the system has in memory of the file that this one will replace, as far as this one
/// is: the rename would drop it all at once, when nothing else goes on any more (0.1 s of 430 MB).
/// Who still reads that file, or keeps it because this one fails, has it from disk.
void AtomicOutput::ForgetReplaced(int64_t from, int64_t to) const {
  if (replaced_ >= 0) ::posix_fadvise(replaced_, from, to - from, POSIX_FADV_DONTNEED);
}

arrow::Status AtomicOutput::Close() {
  if (closed()) return Failure();
  if (upload_ != nullptr) {
    ended_ = true;
    return Failure();
  }
  const int result = ::close(descriptor_);
  const int error = errno;
  descriptor_ = -1;
  if (replaced_ >= 0) ::close(replaced_);
  replaced_ = -1;
  const arrow::Status before = Failure();
  return result == 0 || !before.ok() ? before : Fail(error);
}

arrow::Status AtomicOutput::Check(const arrow::Status& status) const {
  VIAND_RETURN_NOT_OK(Failure());
  if (status.ok() || DetailOf(status) != nullptr) return status;
  return MakeError(KindOf(status),
                   fmt::format("cannot write {}: {}", DisplayPath(path_), status.message()));
}

arrow::Status AtomicOutput::Sync() {
  VIAND_RETURN_NOT_OK(Close());
  return file_ ? file_->Sync() : arrow::Status::OK();
}

arrow::Status AtomicOutput::Rename() {
  if (file_) return file_->Rename();
  const arrow::Status completed = upload_->Close();
  visible_ = completed.ok();
  return visible_ ? completed : FailUpload(completed);
}

arrow::Result<int64_t> AtomicOutput::Commit() {
  VIAND_RETURN_NOT_OK(Close());
  VIAND_RETURN_NOT_OK(file_ ? file_->Commit() : Rename());
  return size_bytes_;
}

}  // namespace viand
