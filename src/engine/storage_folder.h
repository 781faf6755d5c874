// A folder of an executor's storage path for the files of one result, which goes with everything in
// it.
#pragma once

#include <memory>
#include <string>

#include "src/common/error.h"

namespace viand::engine {

class StorageFolder {
 public:
  /// Makes one in `storage_path`, absolute or an address, and removes what a process of this
  /// machine left there when it was killed.
  static arrow::Result<std::unique_ptr<StorageFolder>> Make(const std::string& storage_path);
  StorageFolder(const StorageFolder&) = delete;
  ~StorageFolder();

  const std::string& path() const { return path_; }

 private:
  explicit StorageFolder(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

/// The path of `name` in a folder, of this machine or a store.
std::string PathIn(const std::string& folder, const std::string& name);

/// Gives a file that a fragment wrote, synced, its place on this machine: by a rename, or where
/// that cannot be by a copy.
arrow::Status MoveOutOfStorage(const std::string& from, const std::string& to);

}  // namespace viand::engine
