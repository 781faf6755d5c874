#include "src/engine/window_spans.h"

#include <limits>
#include <optional>

namespace viand::engine {
namespace {

/// Of event times those less than `before`, or all of them.
struct TimeBound {
  int64_t before;
  bool all;
};

/// One end of a window: what lies before t + shift. Exact whatever the units and the times.
class WindowEdge {
 public:
  WindowEdge(__int128 shift_ns, TimeUnits units) : shift_ns_(shift_ns), units_(units) {
    whole_ = units.set_ns % units.event_ns == 0 && shift_ns % units.event_ns == 0 &&
             Fits(shift_ns / units.event_ns);
    if (!whole_) return;
    factor_ = units.set_ns / units.event_ns;
    shift_ = static_cast<int64_t>(shift_ns / units.event_ns);
  }

  TimeBound At(int64_t t) const {
    int64_t before = 0;
    if (whole_ && !__builtin_mul_overflow(t, factor_, &before) &&
        !__builtin_add_overflow(before, shift_, &before))
      return {before, false};
    return Exactly(t);
  }

 private:
  static constexpr __int128 kLeast = std::numeric_limits<int64_t>::min();
  static constexpr __int128 kMost = std::numeric_limits<int64_t>::max();
  static bool Fits(__int128 value) { return value >= kLeast && value <= kMost; }

  TimeBound Exactly(int64_t t) const {
    const __int128 ns = __int128{t} * units_.set_ns + shift_ns_;
    // An event's unit begins at ns or later.
    const __int128 before = ns / units_.event_ns + (ns % units_.event_ns > 0 ? 1 : 0);
    if (before > kMost) return {0, true};
    return {static_cast<int64_t>(std::max(before, kLeast)), false};
  }

  __int128 shift_ns_;
  TimeUnits units_;
  bool whole_;
  int64_t factor_ = 1;
  int64_t shift_ = 0;
};

/// The first position of each set's key whose time is not before the edge.
PoolVector<int32_t> PositionsOf(const EventRuns& runs, const Sets& sets,
                                const PoolVector<int64_t>& set_time, const WindowEdge& edge) {
  PoolVector<int32_t> positions(sets.size());
  const int64_t* time = runs.time.data();
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const bool known = segment < runs.keys();
    int32_t at = known ? runs.begin[segment] : 0;
    const int32_t last = known ? runs.begin[segment + 1] : 0;
    for (int64_t set = sets.begin[segment]; set < sets.begin[segment + 1]; ++set) {
      const TimeBound bound = edge.At(set_time[set]);
      while (at < last && (time[at] < bound.before || bound.all)) ++at;
      positions[set] = at;
    }
  }
  return positions;
}

PoolVector<int32_t> StartsOf(const EventRuns& runs, const Sets& sets) {
  PoolVector<int32_t> positions(sets.size());
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    std::fill(positions.begin() + sets.begin[segment], positions.begin() + sets.begin[segment + 1],
              segment < runs.keys() ? runs.begin[segment] : 0);
  }
  return positions;
}

}  // namespace

// [t - w, t) holds what lies from t - w on, up to t; [t, t + w) what lies from t on, up to t + w.
Spans SpansOf(const EventRuns& runs, const Sets& sets, const PoolVector<int64_t>& set_time,
              const TimeWindow& window, TimeUnits units, const Spans* like) {
  const auto find = [&](__int128 shift_ns) {
    return PositionsOf(runs, sets, set_time, WindowEdge(shift_ns, units));
  };
  const __int128 length_ns = __int128{window.length_us} * 1000;
  Spans spans{.rows = runs.rows, .positions = static_cast<int64_t>(runs.time.size())};
  if (window.following) {
    spans.begin = find(0);
    spans.end = std::make_shared<PoolVector<int32_t>>(find(length_ns));
    return spans;
  }
  spans.begin = window.unbounded ? StartsOf(runs, sets) : find(-length_ns);
  spans.end = like != nullptr ? like->end : std::make_shared<PoolVector<int32_t>>(find(0));
  return spans;
}

Spans KeepSets(const Spans& spans, const std::vector<bool>& keep) {
  Spans out{.rows = spans.rows, .positions = spans.positions};
  auto end = std::make_shared<PoolVector<int32_t>>();
  out.begin.reserve(spans.begin.size());
  end->reserve(spans.begin.size());
  for (size_t set = 0; set < keep.size(); ++set) {
    if (!keep[set]) continue;
    out.begin.push_back(spans.begin[set]);
    end->push_back((*spans.end)[set]);
  }
  out.end = std::move(end);
  return out;
}

Spans RowChoice::Of(const Spans& spans, const Spans* like) const {
  const auto move = [this](const PoolVector<int32_t>& positions) {
    PoolVector<int32_t> moved(positions.size());
    for (size_t set = 0; set < positions.size(); ++set) moved[set] = before_[positions[set]];
    return moved;
  };
  Spans out{.rows = rows_, .positions = static_cast<int64_t>(rows_->size())};
  out.begin = move(spans.begin);
  out.end = like != nullptr ? like->end : std::make_shared<PoolVector<int32_t>>(move(*spans.end));
  return out;
}

Members MembersOf(const Spans& spans, const Sets& sets) {
  const PoolVector<int32_t>& ends = *spans.end;
  Members out;
  out.members.reserve(spans.positions);
  out.begin.reserve(sets.begin.size());
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const int64_t last = sets.begin[segment + 1];
    int64_t enter = sets.begin[segment];
    int64_t leave = enter;
    const int32_t end = enter < last ? ends[last - 1] : 0;
    for (int32_t position = enter < last ? spans.begin[enter] : 0; position < end; ++position) {
      while (ends[enter] <= position) ++enter;
      while (leave < last && spans.begin[leave] <= position) ++leave;
      if (enter < leave) out.Append(spans.RowAt(position), enter, leave);
    }
    out.EndSegment();
  }
  return out;
}

}  // namespace viand::engine
