// The process's memory up to a bound, and a disk's beyond it: an arrow::MemoryPool for work whose
// tables may be larger than the memory that there is, such as rows with long texts.
//
// Large blocks for which there is no room lie in a DiskPool; small ones are always the process's.
// Thread-safe; lives until the process ends, because tables that were handed out may outlive
// everything else.
//
//   arrow::MemoryPool* pool = BoundedPool::In("/tmp", 192 << 20);
#pragma once

#include <arrow/memory_pool.h>

#include <cstdint>
#include <string>

#include "src/common/disk_pool.h"

namespace viand {

class BoundedPool final : public arrow::MemoryPool {
 public:
  /// The least block that may lie on disk: smaller ones come and go too often.
  static constexpr int64_t kLeastDiskBytes = 64 << 10;

  /// The pool of a folder and a bound of what all pools of the process take: one for all who ask.
  static BoundedPool* In(const std::string& folder, int64_t most_bytes);

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  void ReleaseUnused() override;

  /// OK, or once what has failed since, as DiskPool's: what found no room on disk took memory.
  arrow::Status TakeFailure() { return disk_->TakeFailure(); }

  int64_t bytes_allocated() const override;
  int64_t max_memory() const override;
  int64_t total_bytes_allocated() const override;
  int64_t num_allocations() const override;
  std::string backend_name() const override { return "viand-bounded"; }

 private:
  BoundedPool(DiskPool* disk, int64_t most_bytes) : disk_(disk), most_bytes_(most_bytes) {}
  bool HasRoom(int64_t bytes) const;
  bool IsOnDisk(const uint8_t* buffer, int64_t size) const;

  DiskPool* const disk_;
  const int64_t most_bytes_;
};

}  // namespace viand
