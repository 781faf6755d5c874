#include "src/common/bounded_pool.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "src/common/block_pool.h"

namespace viand {

BoundedPool* BoundedPool::In(const std::string& folder, int64_t most_bytes) {
  static std::mutex mutex;
  static auto* pools = new std::map<std::pair<std::string, int64_t>, std::unique_ptr<BoundedPool>>;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& pool = (*pools)[{folder, most_bytes}];
  if (pool == nullptr) pool.reset(new BoundedPool(DiskPool::In(folder), most_bytes));
  return pool.get();
}

bool BoundedPool::HasRoom(int64_t bytes) const {
  if (bytes < kLeastDiskBytes) return true;
  BlockPool* const pool = ProcessPool();
  if (pool->resident_bytes() + bytes <= most_bytes_) return true;
  if (pool->bytes_allocated() + bytes > most_bytes_) return false;
  // What is kept free gives way.
  pool->ReleaseDownTo(most_bytes_ - bytes);
  return pool->resident_bytes() + bytes <= most_bytes_;
}

bool BoundedPool::IsOnDisk(const uint8_t* buffer, int64_t size) const {
  return size >= kLeastDiskBytes && disk_->Holds(buffer);
}

arrow::Status BoundedPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  return HasRoom(size) ? ProcessPool()->Allocate(size, alignment, out)
                       : disk_->Allocate(size, alignment, out);
}

arrow::Status BoundedPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                      uint8_t** ptr) {
  // The old block and the new one may be there at once.
  if (!IsOnDisk(*ptr, old_size) && HasRoom(new_size))
    return ProcessPool()->Reallocate(old_size, new_size, alignment, ptr);
  uint8_t* moved = nullptr;
  VIAND_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, static_cast<size_t>(std::min(old_size, new_size)));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return arrow::Status::OK();
}

void BoundedPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  if (IsOnDisk(buffer, size))
    disk_->Free(buffer, size, alignment);
  else
    ProcessPool()->Free(buffer, size, alignment);
}

void BoundedPool::ReleaseUnused() { ProcessPool()->ReleaseUnused(); }

int64_t BoundedPool::bytes_allocated() const {
  return ProcessPool()->bytes_allocated() + disk_->bytes_allocated();
}

int64_t BoundedPool::max_memory() const { return ProcessPool()->max_memory(); }

int64_t BoundedPool::total_bytes_allocated() const {
  return ProcessPool()->total_bytes_allocated() + disk_->total_bytes_allocated();
}

int64_t BoundedPool::num_allocations() const {
  return ProcessPool()->num_allocations() + disk_->num_allocations();
}

}  // namespace viand
