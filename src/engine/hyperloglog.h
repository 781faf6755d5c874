// HyperLogLog: how many distinct values, from 4096 registers, within about 1.6 % (standard error).
// The estimate depends on the set of values alone: the hash has a fixed seed (key_hash.h), and the
// order of Add and Merge does not matter. Estimator: O. Ertl, "New cardinality estimation
// algorithms for HyperLogLog sketches", 2017, algorithm 6; good over the whole range, without
// tables.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace viand::engine {

/// The registers' number and the hash's bits are part of stored sketches: never change.
constexpr int kHyperLogLogBits = 12;
constexpr int kHyperLogLogRegisters = 1 << kHyperLogLogBits;
constexpr int kHyperLogLogMostRank = 64 - kHyperLogLogBits + 1;

/// What a hash does to a sketch: raise `register_index` to `rank` (1 ... kHyperLogLogMostRank).
struct HyperLogLogMark {
  int32_t register_index;
  int32_t rank;
};
HyperLogLogMark HyperLogLogMarkOf(uint64_t hash);

/// registers_of_rank[k]: how many registers hold k.
int64_t EstimateHyperLogLog(const std::array<int32_t, kHyperLogLogMostRank + 1>& registers_of_rank);

/// A sketch that values can leave again: it counts how often each mark was set. Not thread-safe.
class SlidingHyperLogLog {
 public:
  SlidingHyperLogLog();
  void Add(HyperLogLogMark mark);
  void Remove(HyperLogLogMark mark);
  int64_t Estimate() const { return EstimateHyperLogLog(registers_of_rank_); }

 private:
  std::vector<int32_t> counts_;  // by register, rank
  std::vector<int8_t> highest_;  // by register: its value
  std::array<int32_t, kHyperLogLogMostRank + 1> registers_of_rank_{};
};

}  // namespace viand::engine
