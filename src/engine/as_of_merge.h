// The as-of join where the features' times ascend, as they do in most logs: one pass over both
// sides in the order of time. The latest row of a key so far is what the key's spine rows find;
// nothing is grouped, sorted or searched but the spine's own times. Inside of as_of_join.cc.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "src/common/pool_vector.h"
#include "src/engine/as_of_times.h"
#include "src/engine/radix_sort.h"

namespace viand::engine {

/// A row of the spine, and its time less the earliest in units in which 22 bits hold it.
struct SpineMoment {
  uint32_t moment;
  int32_t row;
};

/// The spine's rows that have a group and a time, in the order of their times: by their leading
/// bits in two passes, then exactly where these are equal.
inline PoolVector<SpineMoment> SpineInOrder(const Times<int64_t>& times,
                                            const PoolVector<int32_t>& groups,
                                            const arrow::Array* nulls) {
  constexpr int kMomentBits = 22;
  PoolVector<SpineMoment> order;
  order.reserve(groups.size());
  int64_t least = 0, most = 0;
  for (size_t row = 0; row < groups.size(); ++row) {
    if (groups[row] < 0 || (nulls != nullptr && nulls->IsNull(row))) continue;
    const int64_t t = times[row];
    least = order.empty() ? t : std::min(least, t);
    most = order.empty() ? t : std::max(most, t);
    order.push_back({0, static_cast<int32_t>(row)});
  }
  const auto since = [least](int64_t t) {
    return static_cast<uint64_t>(t) - static_cast<uint64_t>(least);
  };
  const int shift = std::max(0, static_cast<int>(std::bit_width(since(most))) - kMomentBits);
  for (SpineMoment& each : order) each.moment = since(times[each.row]) >> shift;
  RadixSort(&order, [](const SpineMoment& each) { return each.moment; });
  for (auto run = order.begin(); shift > 0 && run != order.end();) {
    const auto end = std::find_if(
        run + 1, order.end(), [&](const SpineMoment& each) { return each.moment != run->moment; });
    if (end - run > 1) {
      std::sort(run, end, [&](const SpineMoment& a, const SpineMoment& b) {
        return times[a.row] < times[b.row];
      });
    }
    run = end;
  }
  return order;
}

/// Writes to found[row] the feature row of each of the spine's, -1 where nothing matches. The
/// features' times ascend and none is null; groups are those of one KeyIndex.
inline void MergeAsOf(const FeatureTimes<int64_t>& features,
                      const PoolVector<int32_t>& feature_groups, int64_t group_count,
                      const LowerBound<int64_t>& bound, const Times<int64_t>& spine_times,
                      const PoolVector<int32_t>& spine_groups, const arrow::Array* spine_nulls,
                      int64_t* found) {
  std::fill(found, found + spine_groups.size(), -1);
  // The latest row of group g is latest[g + 1]: rows without a group (-1) share a place of their
  // own.
  PoolVector<int32_t> latest(group_count + 1, -1);
  const auto rows = static_cast<int32_t>(feature_groups.size());
  int32_t next = 0;
  for (const SpineMoment& each : SpineInOrder(spine_times, spine_groups, spine_nulls)) {
    const int64_t t = spine_times[each.row];
    for (; next < rows && features.time[next] <= t; ++next) {
      int32_t& last = latest[feature_groups[next] + 1];
      if (features.created_array != nullptr && last >= 0 && features.Less(next, last)) continue;
      last = next;
    }
    const int32_t last = latest[spine_groups[each.row] + 1];
    if (last >= 0 && bound.Admits(features.time[last], t)) found[each.row] = last;
  }
}

}  // namespace viand::engine
