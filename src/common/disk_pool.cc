#include "src/common/disk_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "src/common/block_pool.h"
#include "src/common/unnamed_file.h"

namespace viand {
namespace {

constexpr int64_t kBlockAlignment = 64;
/// Larger blocks have a slab of their own.
constexpr int64_t kSharedSlabBytes = 32 << 20;

int64_t RoundedUp(int64_t bytes, int64_t to) { return (bytes + to - 1) / to * to; }

/// Of no bytes; as Arrow's pools have one.
alignas(kBlockAlignment) uint8_t empty_block[1];

}  // namespace

DiskPool* DiskPool::In(const std::string& folder) {
  static std::mutex mutex;
  static auto* pools = new std::map<std::string, std::unique_ptr<DiskPool>>;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& pool = (*pools)[folder];
  if (pool == nullptr) pool.reset(new DiskPool(folder));
  return pool.get();
}

arrow::Result<DiskPool::Slabs::iterator> DiskPool::MapSlab(int64_t bytes) {
  static const int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  if (descriptor_ < 0) {
    VIAND_ASSIGN_OR_RETURN(descriptor_, OpenUnnamedFile(folder_));
  }
  bytes = RoundedUp(bytes, page_bytes);
  const auto failed = [&](const std::string& why) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("memory is short, and beside {} bytes of temporary data in {} no "
                                 "{} more could be written: {}",
                                 allocated_, folder_, bytes, why),
                     "free disk space there, name another folder with --temp-dir, or allow more "
                     "memory with --memory");
  };
  // Room on disk is taken now: a page that found none later would be a SIGBUS.
  const int error = ::posix_fallocate(descriptor_, end_, bytes);
  if (error != 0) return failed(std::strerror(error));
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, end_);
  if (address == MAP_FAILED) return failed(std::strerror(errno));
  const auto slab =
      slabs_.emplace(static_cast<uint8_t*>(address), Slab{.offset = end_, .bytes = bytes}).first;
  end_ += bytes;
  return slab;
}

void DiskPool::NoticeFork() {
  if (owner_ == ::getpid()) return;
  owner_ = ::getpid();
  for (auto& [address, slab] : slabs_) slab.inherited = true;
  filled_ = nullptr;
  end_ = 0;
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

arrow::Result<uint8_t*> DiskPool::Take(int64_t size) {
  NoticeFork();
  const int64_t bytes = RoundedUp(size, kBlockAlignment);
  auto slab = slabs_.find(filled_);
  if (slab == slabs_.end() || slab->second.bytes - slab->second.used < bytes) {
    VIAND_ASSIGN_OR_RETURN(slab, MapSlab(std::max(bytes, kSharedSlabBytes)));
    if (bytes < kSharedSlabBytes) filled_ = slab->first;
  }
  uint8_t* block = slab->first + slab->second.used;
  slab->second.used += bytes;
  ++slab->second.blocks;
  return block;
}

DiskPool::Slabs::const_iterator DiskPool::SlabOf(const uint8_t* block) const {
  auto slab = slabs_.upper_bound(const_cast<uint8_t*>(block));
  if (slab == slabs_.begin()) return slabs_.end();
  --slab;
  return block < slab->first + slab->second.bytes ? slab : slabs_.end();
}

bool DiskPool::GiveBack(uint8_t* block) {
  NoticeFork();
  const auto found = SlabOf(block);
  if (found == slabs_.end()) return false;
  const auto slab = slabs_.find(found->first);
  if (--slab->second.blocks > 0) return true;
  if (slab->first == filled_) filled_ = nullptr;
  ::munmap(slab->first, slab->second.bytes);
  // Where the file system cannot, the room comes back with the file.
  if (!slab->second.inherited)
    ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, slab->second.offset,
                slab->second.bytes);
  slabs_.erase(slab);
  return true;
}

arrow::Status DiskPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  if (alignment > kBlockAlignment)
    return arrow::Status::Invalid("an alignment of ", alignment, " bytes");
  if (size == 0) {
    *out = empty_block;
    return arrow::Status::OK();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto taken = Take(size);
  if (!taken.ok()) {
    if (failure_.ok()) failure_ = taken.status();
    return ProcessPool()->Allocate(size, alignment, out);
  }
  *out = *taken;
  allocated_ += size;
  total_ += size;
  peak_ = std::max(peak_, allocated_);
  ++allocations_;
  return arrow::Status::OK();
}

arrow::Status DiskPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                   uint8_t** ptr) {
  uint8_t* moved = nullptr;
  VIAND_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, static_cast<size_t>(std::min(old_size, new_size)));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return arrow::Status::OK();
}

void DiskPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  if (buffer == empty_block) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (GiveBack(buffer))
    allocated_ -= size;
  else
    ProcessPool()->Free(buffer, size, alignment);
}

bool DiskPool::Holds(const uint8_t* block) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return SlabOf(block) != slabs_.end();
}

bool DiskPool::HasFailed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !failure_.ok();
}

arrow::Status DiskPool::TakeFailure() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(failure_, arrow::Status::OK());
}

int64_t DiskPool::bytes_allocated() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return allocated_;
}

int64_t DiskPool::max_memory() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return peak_;
}

int64_t DiskPool::total_bytes_allocated() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return total_;
}

int64_t DiskPool::num_allocations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return allocations_;
}

arrow::Status TakeFailureOf(arrow::MemoryPool* pool) {
  auto* of_disk = dynamic_cast<DiskPool*>(pool);
  return of_disk == nullptr ? arrow::Status::OK() : of_disk->TakeFailure();
}

bool HasFailed(arrow::MemoryPool* pool) {
  const auto* of_disk = dynamic_cast<DiskPool*>(pool);
  return of_disk != nullptr && of_disk->HasFailed();
}

}  // namespace viand
