#include "src/offline/part_store.h"

#include <arrow/table.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "src/common/atomic_file.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/storage_folder.h"
#include "src/offline/parquet_file.h"

namespace viand::offline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
constexpr int kGenerationFormat = 1;  // written into manifest.json: never change its meaning

std::string PartName(const Part& part) {
  return fmt::format("{}.{}.parquet", part.cutoff_us, part.fingerprint);
}

json ToJson(const Generation& generation) {
  json parts = json::array();
  for (const Part& part : generation.parts) {
    parts.push_back(
        {{"cutoff_us", part.cutoff_us}, {"fingerprint", part.fingerprint}, {"rows", part.rows}});
  }
  return {{"format", kGenerationFormat},
          {"generation", generation.number},
          {"definition_hash", generation.definition_hash},
          {"parts", std::move(parts)}};
}

arrow::Result<Generation> FromJson(const json& document, const std::string& path) {
  if (!document.is_object() || document.value("format", 0) != kGenerationFormat) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{} is not a manifest of this version of viand", path),
                     "remove the view's folder and run `viand backfill` again");
  }
  Generation generation;
  generation.number = document.value("generation", int64_t{0});
  generation.definition_hash = document.value("definition_hash", "");
  for (const json& part : document.value("parts", json::array())) {
    generation.parts.push_back({part.value("cutoff_us", int64_t{0}), part.value("fingerprint", ""),
                                part.value("rows", int64_t{0})});
  }
  return generation;
}

std::string GenerationFolder(const std::string& view_folder, int64_t number) {
  return fmt::format("{}/generations/{:08}", view_folder, number);
}

bool SameState(const Generation& generation, const std::string& definition_hash,
               const std::vector<Part>& parts) {
  if (generation.number == 0 || generation.definition_hash != definition_hash) return false;
  return std::equal(generation.parts.begin(), generation.parts.end(), parts.begin(), parts.end(),
                    [](const Part& a, const Part& b) {
                      return a.cutoff_us == b.cutoff_us && a.fingerprint == b.fingerprint;
                    });
}

}  // namespace

std::vector<std::string> Generation::Files() const {
  std::vector<std::string> files;
  for (const Part& part : parts) files.push_back(folder + "/" + PartName(part));
  return files;
}

arrow::Result<Generation> ReadCurrentGeneration(const std::string& view_folder) {
  std::error_code error;
  const fs::path target = fs::read_symlink(view_folder + "/current", error);
  if (error) return Generation{};
  const std::string folder = (fs::path(view_folder) / target).lexically_normal().string();
  const std::string path = folder + "/manifest.json";
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadWholeFile(path));
  ARROW_ASSIGN_OR_RAISE(Generation generation, FromJson(json::parse(text, nullptr, false), path));
  generation.folder = folder;
  return generation;
}

bool IsStored(const std::string& view_folder, const Part& part) {
  std::error_code error;
  return fs::exists(view_folder + "/parts/" + PartName(part), error);
}

PartStore::PartStore(std::string folder, int lock_fd)
    : folder_(std::move(folder)), lock_fd_(lock_fd) {}

PartStore::~PartStore() { close(lock_fd_); }

arrow::Result<std::unique_ptr<PartStore>> PartStore::Open(const std::string& view_folder) {
  ARROW_RETURN_NOT_OK(MakeFolders(view_folder + "/parts"));
  ARROW_RETURN_NOT_OK(MakeFolders(view_folder + "/generations"));
  const std::string lock_path = view_folder + "/.lock";
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot write {}: {}", lock_path, std::strerror(errno)),
                     "check that the folder is writable");
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return MakeError(ErrorKind::kConflict,
                     fmt::format("another process is writing {}", view_folder),
                     "wait for it, then run the command again");
  }
  std::unique_ptr<PartStore> store(new PartStore(view_folder, fd));
  ARROW_RETURN_NOT_OK(RemoveStaleTemporaries(view_folder));
  ARROW_RETURN_NOT_OK(RemoveStaleTemporaries(view_folder + "/parts"));
  ARROW_RETURN_NOT_OK(RemoveStaleTemporaries(view_folder + "/generations"));
  return store;
}

std::string PartStore::PartPath(const Part& part) const {
  return folder_ + "/parts/" + PartName(part);
}

arrow::Result<bool> PartStore::Find(Part* part) const {
  const std::string path = PartPath(*part);
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  const auto rows = ParquetRowCount(path);
  if (!rows.ok()) return false;  // damaged from outside: compute it again
  part->rows = *rows;
  return true;
}

arrow::Result<std::unique_ptr<ParquetOutput>> PartStore::Prepare(
    Part* part, arrow::RecordBatchReader* rows) const {
  ARROW_ASSIGN_OR_RAISE(auto output, ParquetOutput::Open(PartPath(*part), rows->schema(),
                                                         engine::SnapshotEncoding()));
  ARROW_ASSIGN_OR_RAISE(part->rows, engine::WriteSnapshot(rows, output.get()));
  ARROW_RETURN_NOT_OK(output->Sync());
  return output;
}

arrow::Status PartStore::Take(const Part& part, const std::string& path) const {
  return engine::MoveOutOfStorage(path, PartPath(part));
}

arrow::Status PartStore::Publish(const std::string& definition_hash,
                                 const std::vector<Part>& parts) {
  ARROW_ASSIGN_OR_RAISE(const Generation previous, ReadCurrentGeneration(folder_));
  if (SameState(previous, definition_hash, parts)) return arrow::Status::OK();
  Generation next{previous.number + 1, definition_hash, parts, ""};
  next.folder = GenerationFolder(folder_, next.number);
  // A number that a killed process had begun is not reused: its folder may be half-filled.
  while (fs::exists(next.folder)) next.folder = GenerationFolder(folder_, ++next.number);
  // Filled under its own name: nobody reads it before `current` points there. Its links keep the
  // parts, so that the folder of parts need not be synced.
  ARROW_RETURN_NOT_OK(MakeFolders(next.folder));
  for (const Part& part : parts) {
    std::error_code error;
    fs::create_hard_link(PartPath(part), next.folder + "/" + PartName(part), error);
    if (error) {
      return MakeError(ErrorKind::kEnvironment,
                       fmt::format("cannot link {}: {}", PartPath(part), error.message()));
    }
  }
  const std::string manifest = next.folder + "/manifest.json";
  ARROW_RETURN_NOT_OK(WriteFile(manifest, ToJson(next).dump(1)));
  ARROW_RETURN_NOT_OK(SyncPaths({manifest, next.folder, folder_ + "/generations"}));
  ARROW_RETURN_NOT_OK(SwapSymlink(folder_ + "/current",
                                  fs::path(next.folder).lexically_relative(folder_).string()));
  return DropUnused(next, previous);
}

arrow::Status PartStore::DropUnused(const Generation& current, const Generation& previous) const {
  // The generation before stays for readers that resolved `current` a moment ago.
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_ + "/generations", error)) {
    const std::string path = entry.path().string();
    if (path != current.folder && path != previous.folder) fs::remove_all(path, error);
  }
  std::set<std::string> used;
  for (const Part& part : current.parts) used.insert(PartName(part));
  for (const auto& entry : fs::directory_iterator(folder_ + "/parts", error)) {
    if (!used.contains(entry.path().filename().string())) fs::remove(entry.path(), error);
  }
  return arrow::Status::OK();
}

}  // namespace viand::offline
