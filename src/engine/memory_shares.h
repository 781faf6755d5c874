// What of the memory budget is for what: the shares that plans are cut by.
#pragma once

#include <algorithm>
#include <cstdint>

namespace viand::engine {

/// 1 / share: for the fragments that scan, and for those that join or aggregate, beside each other.
/// The rest is of the tables that wait.
inline constexpr int64_t kScanShare = 8;
inline constexpr int64_t kReduceShare = 4;
/// Partitions are cut for kReduceShare; what turned out larger, or runs alone, may take this much.
inline constexpr int64_t kLargestShare = 2;

/// A side of a lookup or a source of at most so many bytes is small: tasks on other machines may
/// each have all of it, as it comes, in one piece, and in order. `task_memory` is of one of them;
/// 0: no bound.
inline int64_t SmallBytes(int64_t task_memory) {
  constexpr int64_t kMost = 64 << 20;
  constexpr int64_t kShare = 16;
  return task_memory > 0 ? std::min(kMost, task_memory / kShare) : kMost;
}

}  // namespace viand::engine
