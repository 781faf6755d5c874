#include "src/engine/window_spans.h"

namespace viand::engine {
namespace {

// Whether times and windows are so far from the ends of 64 bits that their sums stay within.
bool FitsWords(const Ticks& row_time, const Ticks& set_time, __int128 length) {
  constexpr __int128 kMost = __int128{1} << 61;
  const auto fits = [](__int128 tick) { return tick > -kMost && tick < kMost; };
  return fits(length) && std::all_of(row_time.begin(), row_time.end(), fits) &&
         std::all_of(set_time.begin(), set_time.end(), fits);
}

// [t - w, t) holds what lies from t - w on, up to t; [t, t + w) what lies from t on, up to t + w.
template <typename Tick>
Spans FindSpans(const EventRuns& runs, const Sets& sets, const Ticks& set_time,
                const TimeWindow& window, Tick length) {
  const Tick from = window.following ? 0 : -length;
  const Tick to = window.following ? length : 0;
  Spans spans{.rows = runs.rows, .positions = static_cast<int64_t>(runs.time.size())};
  spans.begin.resize(sets.size());
  spans.end.resize(sets.size());
  for (int64_t segment = 0; segment < std::min(sets.segments(), runs.keys()); ++segment) {
    int64_t begin = runs.begin[segment];
    int64_t end = begin;
    const int64_t last = runs.begin[segment + 1];
    for (int64_t set = sets.begin[segment]; set < sets.begin[segment + 1]; ++set) {
      const auto time = static_cast<Tick>(set_time[set]);
      if (!window.unbounded) {
        while (begin < last && static_cast<Tick>(runs.time[begin]) < time + from) ++begin;
      }
      end = std::max(end, begin);
      while (end < last && static_cast<Tick>(runs.time[end]) < time + to) ++end;
      spans.begin[set] = static_cast<int32_t>(begin);
      spans.end[set] = static_cast<int32_t>(end);
    }
  }
  return spans;
}

}  // namespace

Spans SpansOf(const EventRuns& runs, const Sets& sets, const Ticks& set_time,
              const TimeWindow& window, int64_t ticks_a_us) {
  const __int128 length = __int128{window.length_us} * ticks_a_us;
  if (FitsWords(runs.time, set_time, length))
    return FindSpans<int64_t>(runs, sets, set_time, window, static_cast<int64_t>(length));
  return FindSpans<__int128>(runs, sets, set_time, window, length);
}

Spans KeepSets(const Spans& spans, const std::vector<bool>& keep) {
  Spans out{.rows = spans.rows, .positions = spans.positions};
  out.begin.reserve(spans.begin.size());
  out.end.reserve(spans.end.size());
  for (size_t set = 0; set < keep.size(); ++set) {
    if (!keep[set]) continue;
    out.begin.push_back(spans.begin[set]);
    out.end.push_back(spans.end[set]);
  }
  return out;
}

Members MembersOf(const Spans& spans, const Sets& sets) {
  Members out;
  out.members.reserve(spans.positions);
  out.begin.reserve(sets.begin.size());
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const int64_t last = sets.begin[segment + 1];
    int64_t enter = sets.begin[segment];
    int64_t leave = enter;
    const int32_t end = enter < last ? spans.end[last - 1] : 0;
    for (int32_t position = enter < last ? spans.begin[enter] : 0; position < end; ++position) {
      while (spans.end[enter] <= position) ++enter;
      while (leave < last && spans.begin[leave] <= position) ++leave;
      if (enter < leave) out.Append(spans.RowAt(position), enter, leave);
    }
    out.EndSegment();
  }
  return out;
}

}  // namespace viand::engine
