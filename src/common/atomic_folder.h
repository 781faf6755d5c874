// A folder that appears whole or not at all, in the place of one that may be there: filled under a
// temporary name beside it, synced, and swapped by one rename.
//
//   VIAND_ASSIGN_OR_RETURN(auto folder, AtomicFolder::Create("out"));
//   ... files in folder.temporary_path(), each synced ...
//   VIAND_RETURN_NOT_OK(folder.Commit());
#pragma once

#include <string>

#include "src/common/error.h"

namespace viand {

/// Not thread-safe; removes the temporary folder on destruction.
class AtomicFolder {
 public:
  /// `target` ends in no slash. Makes the parent folders, and removes what a killed process left of
  /// this target.
  static arrow::Result<AtomicFolder> Create(const std::string& target);
  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&&) = delete;
  ~AtomicFolder();

  const std::string& temporary_path() const { return temporary_; }

  /// Makes the folder visible and removes the one whose place it takes. Where the file system
  /// cannot swap two folders, there is none under the name for a moment.
  arrow::Status Commit();

 private:
  AtomicFolder(std::string target, std::string temporary);

  std::string target_;
  std::string temporary_;  // empty: committed or moved from
};

}  // namespace viand
