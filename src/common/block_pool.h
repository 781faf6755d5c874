// The process's memory for tables: an arrow::MemoryPool that keeps large blocks for the next who
// asks. Handing a block back to the system and taking a fresh one costs a page fault every 4 KiB,
// which was 10 to 28 % of the samples of a join.
//
// Blocks of 64 KiB and more have sizes of four classes an octave. Freed ones stay resident up to a
// limit; beyond it their pages go back to the system and only their addresses are kept. Smaller
// blocks are Arrow's default pool's. Thread-safe; lives until the process ends, because tables that
// were handed out may outlive everything else.
//
//   arrow::MemoryPool* pool = ProcessPool();
#pragma once

#include <arrow/memory_pool.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace viand {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kBlocksAreKept = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kBlocksAreKept = false;
#else
inline constexpr bool kBlocksAreKept = true;
#endif
#else
/// Not under AddressSanitizer, which would not see uses after a free.
inline constexpr bool kBlocksAreKept = true;
#endif

class BlockPool final : public arrow::MemoryPool {
 public:
  /// The least block that is kept.
  static constexpr int64_t kLeastBlockBytes = 64 * 1024;
  /// The default limit of what stays resident in free blocks.
  static constexpr int64_t kRetainedBytes = int64_t{1} << 30;

  BlockPool();
  ~BlockPool() override;

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;

  /// Gives the pages of all free blocks back to the system.
  void ReleaseUnused() override;
  /// Gives back free blocks, the largest first, until no more than so much is resident or none is
  /// left.
  void ReleaseDownTo(int64_t resident_bytes);
  /// Bounds what stays resident in free blocks.
  void SetRetainedLimit(int64_t bytes) { retained_limit_ = bytes; }

  int64_t bytes_allocated() const override { return allocated_; }
  int64_t max_memory() const override { return peak_; }
  int64_t total_bytes_allocated() const override { return total_; }
  int64_t num_allocations() const override { return allocations_; }
  /// Bytes of free blocks that are resident.
  int64_t retained_bytes() const { return retained_; }
  /// Bytes that may have pages: of a block as much as was ever asked of it, free ones included.
  int64_t resident_bytes() const { return resident_; }
  std::string backend_name() const override { return "viand"; }

 private:
  /// Four an octave, from 64 KiB to 2^46 bytes.
  static constexpr int kClasses = 4 * 30;

  struct SizeClass {
    std::mutex mutex;
    std::vector<uint8_t*> resident;   // guarded by mutex
    std::vector<uint8_t*> addresses;  // guarded by mutex: without pages
  };

  static int ClassOf(int64_t bytes);
  static int64_t BytesOf(int size_class);

  arrow::Result<uint8_t*> Take(int64_t payload_bytes);
  uint8_t* TakeResident(int size_class);
  uint8_t* TakeAddress(int size_class);
  void Touch(uint8_t* block, int64_t payload_bytes);
  void ReleaseClass(int size_class, int64_t resident_bytes);
  arrow::Result<uint8_t*> Carve(int size_class);
  void GiveBack(uint8_t* payload);
  void DropPages(int size_class, uint8_t* block);
  void Count(int64_t difference);

  std::array<SizeClass, kClasses> classes_;
  std::mutex slab_mutex_;
  uint8_t* slab_next_ = nullptr;  // guarded by slab_mutex_
  uint8_t* slab_end_ = nullptr;   // guarded by slab_mutex_
  int slabs_ = 0;                 // guarded by slab_mutex_

  std::atomic<int64_t> retained_limit_{kRetainedBytes};
  std::atomic<int64_t> retained_{0};
  std::atomic<int64_t> resident_{0};
  std::atomic<int64_t> allocated_{0};
  std::atomic<int64_t> peak_{0};
  std::atomic<int64_t> total_{0};
  std::atomic<int64_t> allocations_{0};
};

/// The one pool of the process.
BlockPool* ProcessPool();

}  // namespace viand
