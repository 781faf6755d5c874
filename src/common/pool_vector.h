// Vectors whose memory is the process's pool's: what grows with the rows counts against the budget,
// and goes to the next who asks instead of back to the system. Short ones are the heap's.
//
//   PoolVector<int32_t> groups(rows);     // numbers are left unset: give a value to set them
//   PoolVector<int32_t> counts(rows, 0);
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/common/block_pool.h"

namespace viand {

template <typename T>
class PoolAllocator {
 public:
  using value_type = T;

  PoolAllocator() = default;
  template <typename U>
  PoolAllocator(const PoolAllocator<U>& /*other*/) {}  // NOLINT: allocators convert

  T* allocate(std::size_t count) {
    if (!IsPooled(count)) return std::allocator<T>().allocate(count);
    uint8_t* bytes = nullptr;
    const auto size = static_cast<int64_t>(count * sizeof(T));
    if (!ProcessPool()->Allocate(size, arrow::kDefaultBufferAlignment, &bytes).ok())
      throw std::bad_alloc();  // as every vector does
    return reinterpret_cast<T*>(bytes);
  }
  void deallocate(T* items, std::size_t count) {
    if (!IsPooled(count)) return std::allocator<T>().deallocate(items, count);
    ProcessPool()->Free(reinterpret_cast<uint8_t*>(items), static_cast<int64_t>(count * sizeof(T)),
                        arrow::kDefaultBufferAlignment);
  }

  /// Leaves numbers unset: most are written right after.
  template <typename U>
  void construct(U* at) noexcept(std::is_nothrow_default_constructible_v<U>) {
    ::new (static_cast<void*>(at)) U;
  }
  template <typename U, typename... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
  }

  bool operator==(const PoolAllocator& /*other*/) const { return true; }

 private:
  static bool IsPooled(std::size_t count) {
    return count >= BlockPool::kLeastBlockBytes / sizeof(T);
  }
};

template <typename T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

}  // namespace viand
