#include "src/common/block_pool.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "src/common/error.h"

namespace viand {
namespace {

// Before each block's payload, which stays aligned for vector instructions. It also keeps columns
// from all starting at the same offset in a page.
struct BlockHeader {
  int size_class;
  int64_t touched_bytes;  // that were asked for since it got its pages
};
constexpr int64_t kHeaderBytes = 64;
static_assert(sizeof(BlockHeader) <= kHeaderBytes);
// A block has a page more than its class: most payloads are powers of two, and with the header they
// would need blocks a quarter larger.
constexpr int64_t kPageBytes = 4096;

// Blocks are carved from mappings of this size, so that the process has few of them: the system
// bounds their number.
constexpr int64_t kSlabBytes = 64 << 20;
// From here on a block has a mapping of its own, which goes back whole.
constexpr int64_t kOwnMappingBytes = 32 << 20;
// A block that is asked for may come from a class up to twice as large before fresh pages do.
constexpr int kClassesAbove = 4;
constexpr int kLeastShift = 16;
// The start of the first slab is on huge pages: most of what a short run needs, with few faults.
// What comes later is not, for a huge page is cleared whole and held whole where a part of it is
// used: with 128 MiB of them a join took a third of a second more of the system's time.
constexpr int64_t kHugeBytes = 32 << 20;

bool IsLarge(int64_t bytes) { return kBlocksAreKept && bytes >= BlockPool::kLeastBlockBytes; }

arrow::Result<uint8_t*> Map(int64_t bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return arrow::Status::OutOfMemory("mmap of ", bytes, " bytes failed");
  return static_cast<uint8_t*>(address);
}

BlockHeader* HeaderOf(uint8_t* block) { return reinterpret_cast<BlockHeader*>(block); }

}  // namespace

BlockPool::BlockPool() = default;
BlockPool::~BlockPool() = default;

int BlockPool::ClassOf(int64_t bytes) {
  if (bytes <= kLeastBlockBytes) return 0;
  const auto last = static_cast<uint64_t>(bytes - 1);
  const int width = std::bit_width(last);
  const int step = static_cast<int>(last >> (width - 3)) - 3;
  return (width - 1 - kLeastShift) * 4 + step;
}

int64_t BlockPool::BytesOf(int size_class) {
  return (int64_t{4 + size_class % 4} << (kLeastShift - 2 + size_class / 4)) + kPageBytes;
}

void BlockPool::Count(int64_t difference) {
  const int64_t now = allocated_.fetch_add(difference) + difference;
  if (difference <= 0) return;
  total_ += difference;
  ++allocations_;
  int64_t peak = peak_;
  while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
  }
}

uint8_t* BlockPool::TakeResident(int size_class) {
  for (int c = size_class; c <= std::min(size_class + kClassesAbove, kClasses - 1); ++c) {
    const std::lock_guard<std::mutex> lock(classes_[c].mutex);
    if (classes_[c].resident.empty()) continue;
    uint8_t* block = classes_[c].resident.back();
    classes_[c].resident.pop_back();
    retained_ -= BytesOf(c);
    return block;
  }
  return nullptr;
}

uint8_t* BlockPool::TakeAddress(int size_class) {
  const std::lock_guard<std::mutex> lock(classes_[size_class].mutex);
  auto& addresses = classes_[size_class].addresses;
  if (addresses.empty()) return nullptr;
  uint8_t* block = addresses.back();
  addresses.pop_back();
  return block;
}

arrow::Result<uint8_t*> BlockPool::Carve(int size_class) {
  const int64_t bytes = BytesOf(size_class);
  if (bytes >= kOwnMappingBytes) return Map(bytes);
  const std::lock_guard<std::mutex> lock(slab_mutex_);
  if (slab_end_ - slab_next_ < bytes) {
    VIAND_ASSIGN_OR_RETURN(slab_next_, Map(kSlabBytes));
    if (slabs_++ == 0) ::madvise(slab_next_, kHugeBytes, MADV_HUGEPAGE);
    slab_end_ = slab_next_ + kSlabBytes;
  }
  uint8_t* block = slab_next_;
  slab_next_ += bytes;
  return block;
}

arrow::Result<uint8_t*> BlockPool::Take(int64_t payload_bytes) {
  const int size_class = ClassOf(payload_bytes);
  if (size_class >= kClasses)
    return arrow::Status::OutOfMemory("a block of ", payload_bytes, " bytes");
  uint8_t* block = TakeResident(size_class);
  if (block == nullptr) {
    block = TakeAddress(size_class);
    if (block == nullptr) {
      VIAND_ASSIGN_OR_RETURN(block, Carve(size_class));
    }
    *HeaderOf(block) = {.size_class = size_class, .touched_bytes = 0};
  }
  Touch(block, payload_bytes);
  return block + kHeaderBytes;
}

void BlockPool::Touch(uint8_t* block, int64_t payload_bytes) {
  int64_t& touched_bytes = HeaderOf(block)->touched_bytes;
  if (payload_bytes <= touched_bytes) return;
  resident_ += payload_bytes - touched_bytes;
  touched_bytes = payload_bytes;
}

void BlockPool::DropPages(int size_class, uint8_t* block) {
  const int64_t bytes = BytesOf(size_class);
  resident_ -= HeaderOf(block)->touched_bytes;
  if (bytes >= kOwnMappingBytes) {
    ::munmap(block, bytes);
    return;
  }
  ::madvise(block, bytes, MADV_DONTNEED);
  const std::lock_guard<std::mutex> lock(classes_[size_class].mutex);
  classes_[size_class].addresses.push_back(block);
}

void BlockPool::GiveBack(uint8_t* payload) {
  uint8_t* block = payload - kHeaderBytes;
  const int size_class = HeaderOf(block)->size_class;
  const int64_t bytes = BytesOf(size_class);
  if (retained_.fetch_add(bytes) + bytes > retained_limit_) {
    retained_ -= bytes;
    DropPages(size_class, block);
    return;
  }
  const std::lock_guard<std::mutex> lock(classes_[size_class].mutex);
  classes_[size_class].resident.push_back(block);
}

arrow::Status BlockPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  if (!IsLarge(size) || alignment > kHeaderBytes) {
    VIAND_RETURN_NOT_OK(arrow::default_memory_pool()->Allocate(size, alignment, out));
    resident_ += size;
  } else {
    VIAND_ASSIGN_OR_RETURN(*out, Take(size));
  }
  Count(size);
  return arrow::Status::OK();
}

arrow::Status BlockPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                    uint8_t** ptr) {
  const bool other_alignment = alignment > kHeaderBytes;
  if (other_alignment || (!IsLarge(old_size) && !IsLarge(new_size))) {
    VIAND_RETURN_NOT_OK(
        arrow::default_memory_pool()->Reallocate(old_size, new_size, alignment, ptr));
    resident_ += new_size - old_size;
    Count(new_size - old_size);
    return arrow::Status::OK();
  }
  if (IsLarge(old_size) && IsLarge(new_size)) {
    uint8_t* const block = *ptr - kHeaderBytes;
    const int64_t room = BytesOf(HeaderOf(block)->size_class) - kHeaderBytes;
    // Half of a power of two stays where it is, which is what Parquet's reader asks for.
    if (new_size <= room && new_size >= (room - kPageBytes) / 2) {
      Touch(block, new_size);
      Count(new_size - old_size);
      return arrow::Status::OK();
    }
  }
  uint8_t* moved = nullptr;
  VIAND_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, std::min(old_size, new_size));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return arrow::Status::OK();
}

void BlockPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  Count(-size);
  if (!IsLarge(size) || alignment > kHeaderBytes) {
    arrow::default_memory_pool()->Free(buffer, size, alignment);
    resident_ -= size;
  } else {
    GiveBack(buffer);
  }
}

void BlockPool::ReleaseClass(int size_class, int64_t resident_bytes) {
  while (resident_ > resident_bytes) {
    uint8_t* block = nullptr;
    {
      const std::lock_guard<std::mutex> lock(classes_[size_class].mutex);
      if (classes_[size_class].resident.empty()) return;
      block = classes_[size_class].resident.back();
      classes_[size_class].resident.pop_back();
    }
    retained_ -= BytesOf(size_class);
    DropPages(size_class, block);
  }
}

void BlockPool::ReleaseDownTo(int64_t resident_bytes) {
  for (int c = kClasses - 1; c >= 0 && resident_ > resident_bytes; --c)
    ReleaseClass(c, resident_bytes);
}

void BlockPool::ReleaseUnused() {
  for (int c = 0; c < kClasses; ++c) ReleaseClass(c, -1);
  arrow::default_memory_pool()->ReleaseUnused();
  ::malloc_trim(0);
}

BlockPool* ProcessPool() {
  static auto* pool = new BlockPool;
  return pool;
}

}  // namespace viand
