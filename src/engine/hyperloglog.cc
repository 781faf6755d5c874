#include "src/engine/hyperloglog.h"

#include <bit>
#include <cmath>

namespace viand::engine {
namespace {

constexpr int kRanks = kHyperLogLogMostRank + 1;

// Sum of x^(2^k) * 2^(k-1): the registers that are still zero.
double Sigma(double x) {
  if (x == 1) return HUGE_VAL;
  double y = 1;
  double sum = x;
  for (double before = -1; sum != before;) {
    before = sum;
    x *= x;
    sum += x * y;
    y += y;
  }
  return sum;
}

// The registers that are full.
double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double sum = 1 - x;
  for (double before = -1; sum != before;) {
    before = sum;
    x = std::sqrt(x);
    y *= 0.5;
    sum -= (1 - x) * (1 - x) * y;
  }
  return sum / 3;
}

}  // namespace

HyperLogLogMark HyperLogLogMarkOf(uint64_t hash) {
  const auto index = static_cast<int32_t>(hash >> (64 - kHyperLogLogBits));
  // A bit below the hash's last stops the count at kHyperLogLogMostRank.
  const uint64_t rest = hash << kHyperLogLogBits | uint64_t{1} << (kHyperLogLogBits - 1);
  return {index, std::countl_zero(rest) + 1};
}

int64_t EstimateHyperLogLog(const std::array<int32_t, kRanks>& registers_of_rank) {
  constexpr double kRegisters = kHyperLogLogRegisters;
  constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
  double z = kRegisters * Tau(1 - registers_of_rank[kHyperLogLogMostRank] / kRegisters);
  for (int rank = kHyperLogLogMostRank - 1; rank >= 1; --rank)
    z = 0.5 * (z + registers_of_rank[rank]);
  z += kRegisters * Sigma(registers_of_rank[0] / kRegisters);
  return std::llround(kAlpha * kRegisters * kRegisters / z);
}

SlidingHyperLogLog::SlidingHyperLogLog()
    : counts_(kHyperLogLogRegisters * kRanks), highest_(kHyperLogLogRegisters) {
  registers_of_rank_[0] = kHyperLogLogRegisters;
}

void SlidingHyperLogLog::Add(HyperLogLogMark mark) {
  ++counts_[mark.register_index * kRanks + mark.rank];
  int8_t& highest = highest_[mark.register_index];
  if (mark.rank <= highest) return;
  --registers_of_rank_[highest];
  highest = static_cast<int8_t>(mark.rank);
  ++registers_of_rank_[highest];
}

void SlidingHyperLogLog::Remove(HyperLogLogMark mark) {
  int32_t* counts = &counts_[mark.register_index * kRanks];
  --counts[mark.rank];
  int8_t& highest = highest_[mark.register_index];
  if (mark.rank < highest || counts[mark.rank] > 0) return;
  --registers_of_rank_[highest];
  while (highest > 0 && counts[highest] == 0) --highest;
  ++registers_of_rank_[highest];
}

}  // namespace viand::engine
