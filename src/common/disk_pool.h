// Memory that lies in a file without a name: an arrow::MemoryPool for tables that stay whole while
// a plan runs and need not fit in memory, such as a CSV file, of which only the whole text tells
// the types. The system writes its pages to disk and drops them when memory is short; nothing is
// left of the file however the process ends.
//
// Thread-safe. A pool lives until the process ends, because tables that were handed out may outlive
// everything else. In a forked child the blocks of the parent stay readable, and new ones go to a
// file of the child's own.
#pragma once

#include <arrow/memory_pool.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "src/common/error.h"

namespace viand {

class DiskPool final : public arrow::MemoryPool {
 public:
  /// The pool of a folder: one for all who ask for it. Nothing is written before it is used.
  static DiskPool* In(const std::string& folder);

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  /// Where the folder cannot be written, or the disk is full, takes ordinary memory instead:
  /// Arrow's CSV parser ends the process where it gets none. Who reads looks at TakeFailure() now
  /// and then.
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;

  /// Tells whether a block lies on disk.
  bool Holds(const uint8_t* block) const;

  bool HasFailed() const;
  /// OK, or once what has failed since: kEnvironment, naming the folder and the bytes.
  arrow::Status TakeFailure();

  int64_t bytes_allocated() const override;
  int64_t max_memory() const override;
  int64_t total_bytes_allocated() const override;
  int64_t num_allocations() const override;
  std::string backend_name() const override { return "viand-disk"; }

 private:
  /// A part of the file that is in the address space; its room is given back when no block of it is
  /// in use.
  struct Slab {
    int64_t offset = 0;  ///< in the file
    int64_t bytes = 0;
    int64_t used = 0;        ///< from the start; blocks are not used twice
    int64_t blocks = 0;      ///< in use
    bool inherited = false;  ///< of the process that this was forked from
  };
  using Slabs = std::map<uint8_t*, Slab>;

  explicit DiskPool(std::string folder) : folder_(std::move(folder)) {}
  void NoticeFork();
  arrow::Result<uint8_t*> Take(int64_t size);
  arrow::Result<Slabs::iterator> MapSlab(int64_t bytes);
  /// The slab that a block is in; end() where it is in none. The lock must be held.
  Slabs::const_iterator SlabOf(const uint8_t* block) const;
  /// Tells whether the block was of a slab.
  bool GiveBack(uint8_t* block);

  const std::string folder_;
  mutable std::mutex mutex_;
  pid_t owner_ = ::getpid();   // guarded by mutex_: whose the file is
  int descriptor_ = -1;        // guarded by mutex_: of the file, once it is needed
  int64_t end_ = 0;            // guarded by mutex_: of what was ever mapped
  Slabs slabs_;                // guarded by mutex_: by address
  uint8_t* filled_ = nullptr;  // guarded by mutex_: the slab that is taken from; null: none
  arrow::Status failure_;      // guarded by mutex_
  int64_t allocated_ = 0;      // guarded by mutex_
  int64_t peak_ = 0;           // guarded by mutex_
  int64_t total_ = 0;          // guarded by mutex_
  int64_t allocations_ = 0;    // guarded by mutex_
};

/// TakeFailure() of a pool that is one of these; OK of any other.
arrow::Status TakeFailureOf(arrow::MemoryPool* pool);
bool HasFailed(arrow::MemoryPool* pool);

}  // namespace viand
