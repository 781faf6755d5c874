// The SHA-256 of local files, worked out beside whatever reads them, and remembered.
//
//   ContentHashes hashes(root, paths);            // begins, on a thread of its own
//   ... the retrieval ...
//   VIAND_ASSIGN_OR_RETURN(auto sha256_of, hashes.Finish());
//
// What was hashed is remembered in data/.content_hashes by path, size, inode and both times of the
// file, so that it is read once; a file that changed in the last seconds is not remembered, since
// another change within the clock's grain would not show. Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "src/common/error.h"

namespace viand::store {

class ContentHashes {
 public:
  ContentHashes(std::string root, std::vector<std::string> paths);
  ContentHashes(const ContentHashes&) = delete;
  ~ContentHashes();

  /// Waits. 64 hex digits by path; kEnvironment where a file cannot be read, or changed meanwhile.
  arrow::Result<std::map<std::string, std::string>> Finish();

 private:
  arrow::Status Run();

  const std::string root_;
  const std::vector<std::string> paths_;
  std::map<std::string, std::string> sha256_of_;  // the thread's until it is joined
  arrow::Status status_;
  std::thread thread_;
};

}  // namespace viand::store
