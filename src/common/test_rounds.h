// How often a random test repeats: ten times as often in the sweeps of `./dev test --long`.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "src/common/block_pool.h"

namespace viand {

inline int TestRounds(int usual) {
  return std::getenv("VIAND_LONG") != nullptr ? 10 * usual : usual;
}

/// Of a test whose rounds run whole plans: a third of them under AddressSanitizer, which looks for
/// other faults than a wrong result and takes ten times as long.
inline int TestRoundsOfPlans(int usual) {
  const int rounds = TestRounds(usual);
  return kBlocksAreKept ? rounds : std::max(1, rounds / 3);
}

}  // namespace viand
