#include "src/store/result_folder.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "src/common/atomic_file.h"
#include "src/common/atomic_folder.h"
#include "src/common/cancellation.h"
#include "src/common/data_location.h"
#include "src/engine/executor.h"
#include "src/engine/storage_folder.h"

namespace viand::store {
namespace {

namespace fs = std::filesystem;

/// Where fragments write until all parts are there.
constexpr char kWriting[] = "writing";

bool HasFileEnding(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  constexpr const char* kEndings[] = {".parquet", ".csv", ".arrow", ".feather", ".ipc"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](const char* ending) { return extension == ending; });
}

}  // namespace

std::string WithoutSlash(std::string output) {
  while (output.size() > 1 && output.ends_with('/')) output.pop_back();
  return output;
}

bool IsPartName(const std::string& name) {
  constexpr std::string_view kStart = "part-", kEnd = ".parquet";
  if (!name.starts_with(kStart) || !name.ends_with(kEnd)) return false;
  const std::string_view number = std::string_view(name).substr(
      kStart.size(), name.size() - std::min(name.size(), kStart.size() + kEnd.size()));
  return number.size() >= 5 &&
         std::all_of(number.begin(), number.end(), [](unsigned char c) { return isdigit(c) != 0; });
}

bool IsResultFolder(const std::string& output) {
  if (output.ends_with('/')) return true;
  std::error_code error;
  return !IsRemotePath(output) && !HasFileEnding(output) && fs::is_directory(output, error);
}

arrow::Status CheckResultFolder(const std::string& output) {
  const auto refused = [&](const std::string& why, const std::string& hint) {
    return MakeError(ErrorKind::kUsage, fmt::format("cannot write {}: {}", output, why), hint);
  };
  if (IsRemotePath(output))
    return refused("a folder in a store cannot appear at once",
                   "name a file there, or a folder of this machine");
  const std::string path = WithoutSlash(output);
  if (HasFileEnding(path) && fs::path(path).extension() != ".parquet")
    return refused("a folder has Parquet parts",
                   "leave out the slash for a file, or the ending for a folder");
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return arrow::Status::OK();
  if (!fs::is_directory(status)) return refused("it is a file", "leave out the slash");
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    if (IsPartName(name)) continue;
    return refused(fmt::format("it has \"{}\", which is no part of a result, and all that it has "
                               "would be replaced",
                               name),
                   "name another folder, or one in it");
  }
  return error ? WriteError(output, error.value()) : arrow::Status::OK();
}

arrow::Result<ResultSize> WriteResultFolder(const engine::RetrievalPlan& plan,
                                            const std::string& output,
                                            const engine::ExecuteOptions& options) {
  std::error_code error;
  // What a link points at is replaced, not the link.
  const fs::path target = fs::weakly_canonical(WithoutSlash(output), error);
  if (error) return WriteError(output, error.value());
  ARROW_ASSIGN_OR_RAISE(AtomicFolder folder, AtomicFolder::Create(target.string()));
  std::string writing = folder.temporary_path() + "/" + kWriting;
  std::unique_ptr<engine::StorageFolder> storage;
  if (const std::string shared = options.executor->StoragePath(); !shared.empty()) {
    ARROW_ASSIGN_OR_RAISE(storage, engine::StorageFolder::Make(shared));
    writing = storage->path();
  } else {
    ARROW_RETURN_NOT_OK(MakeFolders(writing));
  }
  ARROW_ASSIGN_OR_RAISE(const engine::PartFiles parts,
                        engine::RetrieveToFolder(plan, writing, options));
  ResultSize size{.columns = parts.schema->num_fields()};
  for (const engine::PartFile& part : parts.files) {
    ARROW_RETURN_NOT_OK(CheckCancelled());
    const std::string name = fs::path(ParseAddress(part.path).path).filename();
    // Out of the folder that fragments write to: one that was given up and lives may still do.
    ARROW_RETURN_NOT_OK(engine::MoveOutOfStorage(part.path, folder.temporary_path() + "/" + name));
    size.rows += part.rows;
  }
  if (storage == nullptr) fs::remove_all(writing, error);
  ARROW_RETURN_NOT_OK(folder.Commit());
  return size;
}

}  // namespace viand::store
