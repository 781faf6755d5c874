// Files that appear whole or not at all: write to a temporary name beside the target, fsync,
// rename.
//
//   AtomicFile file;  ... write to file.temporary_path() ...  VIAND_RETURN_NOT_OK(file.Commit());
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace viand {

/// A target path and the temporary file that will become it. Not thread-safe; removes the temporary
/// on destruction unless committed.
class AtomicFile {
 public:
  /// Makes the parent folders and reserves a temporary name "<target>.tmp.<pid>.<n>" in the
  /// target's folder.
  static arrow::Result<AtomicFile> Create(const std::string& target);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  const std::string& temporary_path() const { return temporary_; }
  /// Syncs the temporary file, renames it onto the target, and syncs the folder.
  arrow::Status Commit();

  /// The steps of Commit for many files of one folder: syncing may be done by several threads, one
  /// a file; the folder is synced by the caller, once.
  arrow::Status Sync() const;
  arrow::Status Rename();

 private:
  AtomicFile(std::string target, std::string temporary);
  std::string target_;
  std::string temporary_;
};

/// The error of a write to `path` that failed with errno `error`: the path, the reason, what to do.
arrow::Status WriteError(const std::string& path, int error);

/// Writes a small file where nobody looks yet; SyncPath makes it last.
arrow::Status WriteFile(const std::string& path, std::string_view content);

/// Writes a small file atomically.
arrow::Status WriteFileAtomically(const std::string& path, std::string_view content);

/// Reads a whole file of at most `limit_bytes`; a missing one is kInput, naming the path.
arrow::Result<std::string> ReadWholeFile(const std::string& path, int64_t limit_bytes = 64 << 20);

/// Points the symlink `link` at `target` by rename, so that a reader sees the old or the new one.
arrow::Status SwapSymlink(const std::string& link, const std::string& target);

/// Makes a folder and its parents; an error names the folder and the reason.
arrow::Status MakeFolders(const std::string& path);

/// Forces a file's or a folder's entry to disk.
arrow::Status SyncPath(const std::string& path);

/// The same for several, all at once: a disk takes them together in the time of one.
arrow::Status SyncPaths(const std::vector<std::string>& paths);

/// Removes "<name>.tmp.<pid>.<n>" files and folders of a folder whose process is gone: what a
/// kill -9 left behind. `of`: of this name alone; empty: of any.
arrow::Status RemoveStaleTemporaries(const std::string& folder, const std::string& of = "");

/// A name beside `target` that nobody else in this process uses: "<target>.tmp.<pid>.<n>".
std::string TemporaryName(const std::string& target);

}  // namespace viand
