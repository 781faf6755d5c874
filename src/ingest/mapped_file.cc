#include "src/ingest/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viand::ingest {
namespace {

arrow::Status CannotRead(const std::string& path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return MakeError(missing ? ErrorKind::kInput : ErrorKind::kEnvironment,
                   fmt::format("cannot read {}: {}", path, std::strerror(error)),
                   missing ? "paths are relative to the repo" : "");
}

}  // namespace

arrow::Result<std::shared_ptr<MappedFile>> MappedFile::Open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return CannotRead(path, errno);
  struct stat status = {};
  int error = ::fstat(descriptor, &status) != 0 ? errno : 0;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  void* address = nullptr;
  if (error == 0 && status.st_size > 0) {
    address = ::mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED) error = errno;
  }
  ::close(descriptor);
  if (error != 0) return CannotRead(path, error);
  if (address != nullptr) ::madvise(address, status.st_size, MADV_SEQUENTIAL);
  const std::string_view bytes(static_cast<const char*>(address), status.st_size);
  return std::shared_ptr<MappedFile>(new MappedFile(path, bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace viand::ingest
