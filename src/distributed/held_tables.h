// The tables that a local executor holds between stages: in memory while there is room, else on
// disk.
//
// What one fragment puts out is spilled together, for its tables are slices of the same buffers.
// References may outlive this. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/common/memory_size.h"
#include "src/engine/execute_fragment.h"
#include "src/engine/executor.h"

namespace viand::distributed {

class SpillFile;

class HeldTables {
 public:
  /// `budget_bytes`: what the process may take, working memory included; 0: no bound. `folder` is
  /// opened when something is spilled.
  HeldTables(int64_t budget_bytes, std::string folder)
      : budget_bytes_(budget_bytes), folder_(std::move(folder)) {}

  /// Holds a table of the caller, who holds it too: never spilled.
  static engine::TableReference Keep(std::shared_ptr<arrow::Table> table);
  enum class ReadBy {
    kFragment,  ///< each table by one, which drops it
    kDriver,    ///< all tables by the driver, who keeps them: those on disk must not take memory
  };
  /// Holds what a fragment put out, and spills the largest that are held where memory is short.
  /// Adds what that wrote to disk to `spilled_bytes`, where it is not null.
  arrow::Result<std::vector<engine::TableReference>> Hold(engine::Tables outputs,
                                                          ReadBy read_by = ReadBy::kFragment,
                                                          int64_t* spilled_bytes = nullptr);
  /// The table, read from disk where it was spilled.
  static arrow::Result<std::shared_ptr<arrow::Table>> Load(const engine::TableReference& reference);

 private:
  struct Group;
  struct Handle;

  bool MemoryIsShort() const;
  arrow::Status MakeRoom(int64_t* spilled_bytes);
  std::shared_ptr<Group> TakeLargest();
  /// The bytes that were written.
  arrow::Result<int64_t> Spill(Group* group);
  arrow::Result<std::shared_ptr<SpillFile>> OpenFile();

  const int64_t budget_bytes_;
  /// What the process had before: of a notebook's own tables, say.
  const int64_t of_others_bytes_ = AnonymousMemoryBytes();
  const std::string folder_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Group>> groups_;  // guarded by mutex_: in memory
  std::shared_ptr<SpillFile> file_;           // guarded by mutex_: null until first needed
};

}  // namespace viand::distributed
