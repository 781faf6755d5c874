#include "src/common/content_identity.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/common/io_threads.h"
#include "src/common/sha256.h"

namespace viand {
namespace {

arrow::Result<std::string> TagOf(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(const DataLocation location, LocateData(path));
  const auto file = location.filesystem->OpenInputFile(location.path);
  if (!file.ok()) return StorageError(file.status(), path, "");
  const auto metadata = (*file)->ReadMetadata();
  if (!metadata.ok()) return StorageError(metadata.status(), path, "");
  if (*metadata != nullptr) {
    if (const auto tag = (*metadata)->Get("ETag"); tag.ok() && !tag->empty()) return *tag;
  }
  VIAND_ASSIGN_OR_RETURN(const ListedFile found, FindDataFile(path, ""));
  return fmt::format("modified {}", found.modified_ns);
}

}  // namespace

arrow::Result<std::string> ContentIdentity(const std::string& path) {
  if (!IsRemotePath(path)) return Sha256OfFile(path);
  VIAND_ASSIGN_OR_RETURN(const std::string tag, TagOf(path));
  VIAND_ASSIGN_OR_RETURN(const ListedFile file, KnownDataFile(path, ""));
  return Sha256Hex(fmt::format("{} {}", file.size_bytes, tag));
}

arrow::Result<std::vector<std::string>> ContentIdentities(const std::vector<std::string>& paths) {
  return MapOnIoThreads(paths, [](const std::string& path) { return ContentIdentity(path); });
}

}  // namespace viand
