// How often a random test repeats: ten times as often in the sweeps of `./dev test --long`.
#pragma once

#include <cstdlib>

namespace viand {

inline int TestRounds(int usual) {
  return std::getenv("VIAND_LONG") != nullptr ? 10 * usual : usual;
}

}  // namespace viand
