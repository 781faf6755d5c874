// The least and the greatest of each window's rows, for windows over the same sets that end alike:
// all of them, and both extremes, in one pass where windows are short, by queues where they are
// long.
//
//   ExtremePositions found{.least = {first, nullptr}, .greatest = {nullptr, second}};  // a window
//   each FindExtremes<true, true>(windows, sets, key_at, found);
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "src/common/pool_vector.h"
#include "src/engine/window_spans.h"

namespace viand::engine {

/// The rows from the first of a segment's first sets to the last of its last ones.
inline std::pair<int32_t, int32_t> ReachOf(const std::vector<const Spans*>& windows,
                                           int64_t first_set, int64_t end_set) {
  int32_t begin = windows[0]->begin[first_set];
  int32_t end = begin;
  for (const Spans* spans : windows) {
    begin = std::min(begin, spans->begin[first_set]);
    end = std::max(end, (*spans->end)[end_set - 1]);
  }
  return {begin, std::max(begin, end)};
}

/// Puts windows that end alike in order of their lengths, the shortest first.
inline std::vector<size_t> ByLength(const std::vector<const Spans*>& windows) {
  std::vector<size_t> order(windows.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto& begins = windows[a]->begin;
    const auto [x, y] = std::mismatch(begins.begin(), begins.end(), windows[b]->begin.begin());
    return x != begins.end() && *x > *y;
  });
  return order;
}

/// Where the extremes of the sets of each window are written: positions. Null: not asked for.
struct ExtremePositions {
  std::vector<int32_t*> least, greatest;
};

/// Writes the positions of the least and of the greatest keys of the sets of one segment by looking
/// at all rows of each: for short windows. The first of equal ones.
template <bool kLeast, bool kGreatest, typename KeyAt>
void ScanForExtremes(const std::vector<const Spans*>& windows, const std::vector<size_t>& by_length,
                     int64_t first_set, int64_t end_set, KeyAt&& key_at,
                     const ExtremePositions& found) {
  const int32_t* ends = windows[0]->end->data();
  for (int64_t set = first_set; set < end_set; ++set) {
    int64_t least = std::numeric_limits<int64_t>::max();
    int64_t greatest = std::numeric_limits<int64_t>::min();
    int32_t position = ends[set];
    int32_t least_at = position, greatest_at = position;
    for (const size_t window : by_length) {
      const int32_t begin = windows[window]->begin[set];
      while (position > begin) {
        const int64_t key = key_at(--position);
        if constexpr (kLeast) {
          least_at = key <= least ? position : least_at;
          least = std::min(least, key);
        }
        if constexpr (kGreatest) {
          greatest_at = key >= greatest ? position : greatest_at;
          greatest = std::max(greatest, key);
        }
      }
      if (position == ends[set]) continue;
      if (kLeast && found.least[window] != nullptr) found.least[window][set] = least_at;
      if (kGreatest && found.greatest[window] != nullptr) found.greatest[window][set] = greatest_at;
    }
  }
}

/// A position in the queue of those that may yet be the least.
struct ExtremeCandidate {
  int64_t key;
  int32_t position;
};

/// Writes the position of the least key of every set of one segment, the first of equal ones. One
/// queue serves all windows: positions that may yet be the least, of which none is worse than the
/// next. A window's least is the first that is in it.
template <typename KeyAt>
void QueueForLeast(const std::vector<const Spans*>& windows, int64_t first_set, int64_t end_set,
                   KeyAt&& key_at, const std::vector<int32_t*>& found,
                   PoolVector<ExtremeCandidate>* candidates) {
  const auto [first, last] = ReachOf(windows, first_set, end_set);
  const auto rows = static_cast<size_t>(last - first);
  if (candidates->size() < rows) candidates->resize(rows + rows / 2 + 64);
  ExtremeCandidate* const queue = candidates->data();
  std::vector<int32_t> heads(windows.size(), 0);
  const int32_t* ends = windows[0]->end->data();
  int32_t size = 0;
  int32_t next = first;
  for (int64_t set = first_set; set < end_set; ++set) {
    int32_t earliest = ends[set];
    for (const Spans* spans : windows) earliest = std::min(earliest, spans->begin[set]);
    int32_t kept = size;  // the candidates that newer rows left as they were
    for (next = std::max(next, earliest); next < ends[set]; ++next) {
      const int64_t key = key_at(next);
      while (size > 0 && key < queue[size - 1].key) --size;
      kept = std::min(kept, size);
      queue[size++] = {key, next};
    }
    for (size_t window = 0; window < windows.size(); ++window) {
      const int32_t begin = windows[window]->begin[set];
      int32_t& head = heads[window];
      head = std::min(head, kept);
      if (begin == ends[set]) continue;
      while (queue[head].position < begin) ++head;
      if (found[window] != nullptr) found[window][set] = queue[head].position;
    }
  }
}

/// Writes the positions of the least and of the greatest keys of every set that has rows, over
/// windows that end alike.
template <bool kLeast, bool kGreatest, typename KeyAt>
void FindExtremes(const std::vector<const Spans*>& windows, const Sets& sets, KeyAt&& key_at,
                  const ExtremePositions& found) {
  // A row in the queue costs as much as looking at several.
  constexpr int64_t kScanned = 3;
  const std::vector<size_t> by_length = ByLength(windows);
  const Spans& longest = *windows[by_length.back()];
  PoolVector<ExtremeCandidate> candidates;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const int64_t first_set = sets.begin[segment], end_set = sets.begin[segment + 1];
    if (first_set == end_set) continue;
    const auto [first, last] = ReachOf(windows, first_set, end_set);
    int64_t looked_at = 0;
    for (int64_t set = first_set; set < end_set; ++set) looked_at += longest.size(set);
    if (looked_at <= kScanned * (last - first + end_set - first_set)) {
      ScanForExtremes<kLeast, kGreatest>(windows, by_length, first_set, end_set, key_at, found);
      continue;
    }
    if (kLeast) QueueForLeast(windows, first_set, end_set, key_at, found.least, &candidates);
    if (kGreatest) {
      QueueForLeast(
          windows, first_set, end_set, [&](int64_t position) { return ~key_at(position); },
          found.greatest, &candidates);
    }
  }
}

}  // namespace viand::engine
