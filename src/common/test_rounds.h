// How often a random test repeats: ten times as often in the sweeps of `./dev test --long`, a third
// as often under sanitizers, which look for other faults than a wrong result and take ten times as
// long.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "src/common/block_pool.h"

namespace viand {

inline int TestRounds(int usual) {
  if (std::getenv("VIAND_LONG") != nullptr) return 10 * usual;
  return kBlocksAreKept ? usual : std::max(1, usual / 3);
}

}  // namespace viand
