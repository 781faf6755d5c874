// A partition of window aggregates that is too large for one fragment, cut by time: which slices of
// its events the sets of some times need row by row, and of which a summary does. Pure functions of
// times and sizes.
#pragma once

#include <cstdint>
#include <vector>

#include "src/engine/time_range.h"
#include "src/engine/time_window.h"

namespace viand::engine {

/// Events from first_us to last_us, both included, with the fractions of a microsecond after
/// last_us. Times beyond 64 bits of microseconds are in the slices, and sets, that end there.
struct EventSlice {
  int64_t first_us = 0;
  int64_t last_us = 0;
  int64_t bytes = 0;     ///< of its rows in a fragment
  bool instant = false;  ///< its rows have one time: a window has all of them or none
};

/// A window that features look through.
struct WindowReach {
  TimeWindow window;
  bool merges = true;  ///< all of them are of calls that merge (window_summary.h)

  bool operator==(const WindowReach&) const = default;
};

/// Slices first ... end - 1.
struct SliceRun {
  int first = 0;
  int end = 0;

  bool operator==(const SliceRun&) const = default;
};

/// The sets of some times, and what their windows reach.
struct SetSlice {
  int64_t first_us = 0;
  int64_t last_us = 0;
  std::vector<int> whole;            ///< slices of which all rows are needed, ascending
  std::vector<SliceRun> summarized;  ///< each window has all rows of a run or none of them
  int64_t bytes = 0;                 ///< of `whole`
};

/// Cuts times of sets so finely that the ends of each window stay in one slice each.
std::vector<SetSlice> CutSets(const std::vector<EventSlice>& slices,
                              const std::vector<WindowReach>& windows, int64_t first_us,
                              int64_t last_us);

/// Finds what sets of `times`, of which only first_us and last_us are set, need; neighbours that
/// together need at most `most_bytes` are put together. `slices` are adjacent and ascending.
std::vector<SetSlice> PlanSets(const std::vector<EventSlice>& slices,
                               const std::vector<WindowReach>& windows,
                               const std::vector<SetSlice>& times, int64_t most_bytes);

}  // namespace viand::engine
