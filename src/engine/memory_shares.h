// What of the memory budget is for what: the shares that plans are cut by.
#pragma once

#include <cstdint>

namespace viand::engine {

/// 1 / share: for the fragments that scan, and for those that join or aggregate, beside each other.
/// The rest is of the tables that wait.
inline constexpr int64_t kScanShare = 8;
inline constexpr int64_t kReduceShare = 4;
/// Partitions are cut for kReduceShare; what turned out larger, or runs alone, may take this much.
inline constexpr int64_t kLargestShare = 2;

}  // namespace viand::engine
