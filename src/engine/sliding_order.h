// Which of n sorted slots are in use, and the k-th of these: order statistics of values that come
// and go, O(log n) each (a tree of partial counts after Fenwick). Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include "src/common/pool_vector.h"

namespace viand::engine {

class SlidingOrder {
 public:
  /// Begins anew with `slots` free slots.
  void Start(int64_t slots) {
    tree_.assign(slots + 1, 0);
    size_ = 0;
  }
  void Add(int64_t slot) { Change(slot, 1); }
  void Remove(int64_t slot) { Change(slot, -1); }
  int64_t size() const { return size_; }

  /// Returns the slot in use that has `rank` (0 ... size - 1) below it.
  int64_t At(int64_t rank) const {
    const auto slots = static_cast<int64_t>(tree_.size()) - 1;
    int64_t at = 0;
    for (auto step = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(slots))); step > 0;
         step /= 2) {
      if (at + step <= slots && tree_[at + step] <= rank) {
        at += step;
        rank -= tree_[at];
      }
    }
    return at;
  }

 private:
  void Change(int64_t slot, int64_t by) {
    size_ += by;
    for (auto i = static_cast<size_t>(slot) + 1; i < tree_.size(); i += i & -i) tree_[i] += by;
  }

  PoolVector<int64_t> tree_;  // tree_[i]: slots in use among the (i & -i) before slot i
  int64_t size_ = 0;
};

}  // namespace viand::engine
