#include "src/engine/storage_folder.h"

#include <arrow/filesystem/filesystem.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <random>

#include "src/common/data_location.h"

namespace viand::engine {
namespace {

namespace fs = arrow::fs;

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

}  // namespace viand::engine
