#include "src/engine/window_slices.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>

namespace viand::engine {
namespace {

using Wide = __int128;

// Where times begin and end that are beyond 64 bits of microseconds: seconds have such.
constexpr Wide kBeforeAll = -(Wide{1} << 100);
constexpr Wide kAfterAll = Wide{1} << 100;

Wide BeginOf(int64_t first_us) {
  return first_us == std::numeric_limits<int64_t>::min() ? kBeforeAll : Wide{first_us};
}
Wide EndOf(int64_t last_us) {
  return last_us == std::numeric_limits<int64_t>::max() ? kAfterAll : Wide{last_us} + 1;
}

/// What a window of the times from first_us to last_us, fractions included, has of the slices:
/// nothing before `begin` and from `end` on, all of from `full` to `full_end`, and some of the
/// others.
struct Reached {
  int begin = 0;
  int full = 0;
  int full_end = 0;
  int end = 0;
};

class SetPlanner {
 public:
  SetPlanner(const std::vector<EventSlice>& slices, const std::vector<WindowReach>& windows)
      : slices_(slices), windows_(windows) {}

  /// Without the runs that are summarized.
  SetSlice Whole(int64_t first_us, int64_t last_us) const {
    SetSlice set{.first_us = first_us, .last_us = last_us};
    for (const WindowReach& window : windows_) {
      const Reached reached = Reach(window.window, first_us, last_us);
      if (!window.merges) {
        Add(reached.begin, reached.end, false, &set);
      } else {
        Add(reached.begin, reached.full, true, &set);
        Add(reached.full_end, reached.end, true, &set);
      }
    }
    std::sort(set.whole.begin(), set.whole.end());
    set.whole.erase(std::unique(set.whole.begin(), set.whole.end()), set.whole.end());
    for (const int slice : set.whole) set.bytes += slices_[slice].bytes;
    return set;
  }

  void AddRuns(SetSlice* set) const {
    const size_t count = slices_.size();
    std::vector<int> covered(count + 1, 0);  // how many windows more than the slice before
    std::vector<uint8_t> starts(count + 1, 0), alone(count + 1, 0);
    for (const WindowReach& window : windows_) {
      if (!window.merges) continue;
      const Reached reached = Reach(window.window, set->first_us, set->last_us);
      ++covered[reached.begin];
      --covered[reached.end];
      for (const int at : {reached.begin, reached.full, reached.full_end, reached.end})
        starts[at] = 1;
      std::fill(alone.begin() + reached.begin, alone.begin() + reached.full, uint8_t{1});
      std::fill(alone.begin() + reached.full_end, alone.begin() + reached.end, uint8_t{1});
    }
    int windows = 0;
    auto whole = set->whole.begin();
    for (int slice = 0; slice < static_cast<int>(count); ++slice) {
      windows += covered[slice];
      const bool is_whole = whole != set->whole.end() && *whole == slice;
      if (is_whole) ++whole;
      if (is_whole || windows == 0) continue;
      const bool joins = !set->summarized.empty() && set->summarized.back().end == slice &&
                         starts[slice] == 0 && alone[slice] == 0 && alone[slice - 1] == 0;
      if (joins)
        ++set->summarized.back().end;
      else
        set->summarized.push_back({slice, slice + 1});
    }
  }

 private:
  template <typename Holds>
  int First(Holds&& holds) const {
    const auto at = std::partition_point(slices_.begin(), slices_.end(),
                                         [&](const EventSlice& slice) { return !holds(slice); });
    return static_cast<int>(at - slices_.begin());
  }

  /// The first slice that begins at the time or later.
  int BeginsAt(Wide us) const {
    return First([us](const EventSlice& slice) { return BeginOf(slice.first_us) >= us; });
  }
  /// The first slice that ends after the time begins.
  int EndsAfter(Wide us) const {
    return First([us](const EventSlice& slice) { return EndOf(slice.last_us) > us; });
  }

  Reached Reach(const TimeWindow& window, int64_t first_us, int64_t last_us) const {
    const Wide length = window.length_us;
    const Wide first = BeginOf(first_us), after = EndOf(last_us);
    Reached out;
    if (window.following) {
      out = {EndsAfter(first), BeginsAt(after), EndsAfter(first + length),
             BeginsAt(after + length)};
    } else {
      out = {window.unbounded ? 0 : EndsAfter(first - length),
             window.unbounded ? 0 : BeginsAt(after - length), EndsAfter(first), BeginsAt(after)};
    }
    if (out.full >= out.full_end) out.full = out.full_end = out.end;
    return out;
  }

  void Add(int first, int end, bool merges, SetSlice* set) const {
    for (int slice = first; slice < end; ++slice) {
      if (!merges || !slices_[slice].instant) set->whole.push_back(slice);
    }
  }

  const std::vector<EventSlice>& slices_;
  const std::vector<WindowReach>& windows_;
};

}  // namespace

std::vector<SetSlice> CutSets(const std::vector<EventSlice>& slices,
                              const std::vector<WindowReach>& windows, int64_t first_us,
                              int64_t last_us) {
  std::vector<int64_t> starts;
  const auto add = [&](Wide start) {
    if (start > first_us && start <= last_us) starts.push_back(static_cast<int64_t>(start));
  };
  for (const EventSlice& slice : slices) {
    add(slice.first_us);
    for (const WindowReach& reach : windows) {
      const TimeWindow& window = reach.window;
      if (!window.unbounded)
        add(Wide{slice.first_us} + (window.following ? -1 : 1) * Wide{window.length_us});
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  std::vector<SetSlice> sets{{.first_us = first_us, .last_us = last_us}};
  for (const int64_t start : starts) {
    sets.back().last_us = start - 1;
    sets.push_back({.first_us = start, .last_us = last_us});
  }
  return sets;
}

std::vector<SetSlice> PlanSets(const std::vector<EventSlice>& slices,
                               const std::vector<WindowReach>& windows,
                               const std::vector<SetSlice>& times, int64_t most_bytes) {
  const SetPlanner planner(slices, windows);
  std::vector<SetSlice> sets;
  for (const SetSlice& time : times) {
    if (!sets.empty()) {
      SetSlice both = planner.Whole(sets.back().first_us, time.last_us);
      if (both.bytes <= most_bytes) {
        sets.back() = std::move(both);
        continue;
      }
    }
    sets.push_back(planner.Whole(time.first_us, time.last_us));
  }
  for (SetSlice& set : sets) planner.AddRuns(&set);
  return sets;
}

}  // namespace viand::engine
