// Sweep of window_members.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "src/engine/window_members.h"

namespace viand::engine {

template <typename Add, typename Remove, typename Emit>
void Sweep(const Members& members, const Sets& sets, int64_t segment, PoolVector<int64_t>* scratch,
           Add&& add, Remove&& remove, Emit&& emit) {
  const int64_t begin = members.begin[segment];
  const int64_t end = members.begin[segment + 1];
  PoolVector<int64_t>& leaving = *scratch;
  leaving.resize(end - begin);
  std::iota(leaving.begin(), leaving.end(), begin);
  const auto leaves_before = [&](int64_t a, int64_t b) {
    return members[a].leave < members[b].leave;
  };
  if (!std::is_sorted(leaving.begin(), leaving.end(), leaves_before)) {
    std::stable_sort(leaving.begin(), leaving.end(), leaves_before);
  }
  int64_t in = begin;
  size_t out = 0;
  for (int64_t set = sets.begin[segment]; set < sets.begin[segment + 1]; ++set) {
    for (; in < end && members[in].enter == set; ++in) add(in, set);
    for (; out < leaving.size() && members[leaving[out]].leave == set; ++out)
      remove(leaving[out], set);
    emit(set);
  }
  for (; out < leaving.size(); ++out) remove(leaving[out], sets.begin[segment + 1]);
}

}  // namespace viand::engine
