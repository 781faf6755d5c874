// What fragments of a process read of small files, kept for the next that reads the same: calls
// that follow one another, as in a notebook, mostly do. A file is the same by all that its stat
// says (a copy may keep size and time of another); where it changed so lately that another change
// might not show in it, nothing is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/engine/fragment.h"

namespace arrow {
class Table;
}

namespace viand::engine {

/// Thread-safe.
class KeptScans {
 public:
  using Tables = std::vector<std::shared_ptr<arrow::Table>>;

  /// Returns what `read` does, which scans `map`; where that was kept, without calling it.
  arrow::Result<Tables> Run(const MapFragment& map,
                            const std::function<arrow::Result<Tables>()>& read);

  /// Bounds what is kept: what was used least lately goes first.
  void SetLimit(int64_t bytes);
  int64_t bytes() const;

 private:
  /// As stat(2) has it, of the file that is opened: NFS asks its server then.
  struct FileState {
    uint64_t device = 0, inode = 0;
    int64_t size_bytes = 0, modified_ns = 0, changed_ns = 0;

    bool operator==(const FileState&) const = default;
  };
  using FileStates = std::vector<FileState>;
  struct Kept {
    std::string message;  ///< of the fragment, with the paths
    FileStates files;
    Tables tables;
    int64_t bytes = 0;
  };

  static std::optional<FileStates> StatesOf(const MapFragment& map);
  int64_t limit() const;
  /// What is kept of it; empty where that is of other files.
  Tables Find(const std::string& message, const FileStates& files);
  void Keep(Kept kept);
  void DropTo(int64_t bytes);

  mutable std::mutex mutex_;
  int64_t limit_ = 0;     // guarded by mutex_, as are the next
  int64_t bytes_ = 0;     // of kept_
  std::list<Kept> kept_;  // what was used last is first
};

}  // namespace viand::engine
