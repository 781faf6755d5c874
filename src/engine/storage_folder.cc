#include "src/engine/storage_folder.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <random>

#include "src/common/atomic_output.h"
#include "src/common/cancellation.h"
#include "src/common/data_location.h"
#include "src/engine/read_file.h"

namespace viand::engine {
namespace {

namespace fs = arrow::fs;

constexpr int64_t kCopyBytes = 4 << 20;

/// "viand-result.<host>." and then "<pid>.<random>": hosts that share the path know their own.
std::string PrefixOfHost() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) name = {'?'};
  return fmt::format("viand-result.{}.", name.data());
}

bool IsOfTheDead(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix)) return false;
  int pid = 0;
  const char* digits = name.data() + prefix.size();
  const auto parsed = std::from_chars(digits, name.data() + name.size(), pid);
  if (parsed.ec != std::errc() || pid <= 0 || pid == getpid()) return false;
  return kill(pid, 0) != 0 && errno == ESRCH;
}

/// What cannot be looked at or removed now is left to the next.
void RemoveOfTheDead(const DataLocation& storage, const std::string& prefix) {
  fs::FileSelector selector;
  selector.base_dir = storage.path;
  const auto entries = storage.filesystem->GetFileInfo(selector);
  if (!entries.ok()) return;
  for (const fs::FileInfo& entry : *entries) {
    if (IsOfTheDead(entry.base_name(), prefix))
      static_cast<void>(storage.filesystem->DeleteDir(entry.path()));
  }
}

arrow::Status Copy(const std::string& from, const std::string& to) {
  VIAND_ASSIGN_OR_RETURN(const auto input, OpenDataFile(from, "a part of the result"));
  VIAND_ASSIGN_OR_RETURN(const auto output, AtomicOutput::Open(to));
  while (true) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    auto block = input->Read(kCopyBytes);
    if (!block.ok()) return StorageError(block.status(), from, "a part of the result");
    if ((*block)->size() == 0) break;
    VIAND_RETURN_NOT_OK(output->Write((*block)->data(), (*block)->size()));
  }
  return output->Commit().status();
}

}  // namespace

std::string PathIn(const std::string& folder, const std::string& name) {
  const DataAddress address = ParseAddress(folder);
  const std::string path = fmt::format("{}/{}", address.path, name);
  return address.IsRemote() ? address.TextOf(path) : path;
}

arrow::Result<std::unique_ptr<StorageFolder>> StorageFolder::Make(const std::string& storage_path) {
  VIAND_ASSIGN_OR_RETURN(const DataLocation storage, LocateData(storage_path));
  const std::string prefix = PrefixOfHost();
  RemoveOfTheDead(storage, prefix);
  std::random_device random;
  const std::string path =
      PathIn(storage_path, fmt::format("{}{}.{:08x}{:08x}", prefix, getpid(), random(), random()));
  VIAND_ASSIGN_OR_RETURN(const DataLocation folder, LocateData(path));
  const auto made = folder.filesystem->CreateDir(folder.path, /*recursive=*/true);
  if (!made.ok()) return StorageError(made, path, "the storage path", "", "cannot write");
  return std::unique_ptr<StorageFolder>(new StorageFolder(path));
}

StorageFolder::~StorageFolder() {
  const auto folder = LocateData(path_);
  if (folder.ok()) static_cast<void>(folder->filesystem->DeleteDir(folder->path));
}

arrow::Status MoveOutOfStorage(const std::string& from, const std::string& to) {
  if (IsRemotePath(from)) return Copy(from, to);
  if (rename(from.c_str(), to.c_str()) == 0) return arrow::Status::OK();
  return errno == EXDEV ? Copy(from, to) : WriteError(to, errno);
}

}  // namespace viand::engine
