// The rows of a window's sets where they are neighbours: a span of positions a set. While t grows
// neither end of a span falls, so an aggregate over all sets of a segment slides over its rows
// once. Values only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "src/engine/time_window.h"
#include "src/engine/window_members.h"

namespace viand::engine {

/// Times in ticks of one unit; 128 bits, so that every unit and every bound fits.
using Ticks = std::vector<__int128>;

/// Events by key, those of a key in order of (time, row).
struct EventRuns {
  std::vector<int64_t> begin = {0};  ///< begin[k]: where key k starts; one more at the end
  std::vector<int32_t> rows;         ///< index in the columns; empty: the position is the index
  Ticks time;                        ///< of each position

  int64_t keys() const { return static_cast<int64_t>(begin.size()) - 1; }
  int64_t RowAt(int64_t position) const { return rows.empty() ? position : rows[position]; }
};

struct Spans {
  std::vector<int32_t> rows;  ///< index of each position in the arrays of values; empty: itself
  int64_t positions = 0;
  std::vector<int32_t> begin;  ///< of each set: its first position
  std::vector<int32_t> end;    ///< and the one after its last

  int64_t RowAt(int64_t position) const { return rows.empty() ? position : rows[position]; }
  int64_t size(int64_t set) const { return int64_t{end[set]} - begin[set]; }
};

/// Returns the rows of sets at times `set_time`. Segment s is key s, and has no rows where there is
/// no such key.
Spans SpansOf(const EventRuns& runs, const Sets& sets, const Ticks& set_time,
              const TimeWindow& window, int64_t ticks_a_us);

/// Returns the spans of those sets that are kept.
Spans KeepSets(const Spans& spans, const std::vector<bool>& keep);

/// Returns the spans as members of sets.
Members MembersOf(const Spans& spans, const Sets& sets);

/// Returns the spans of the rows for which keep(row).
template <typename Keep>
Spans FilterRows(const Spans& spans, Keep&& keep) {
  Spans out;
  out.rows.reserve(spans.positions);
  std::vector<int32_t> before(spans.positions + 1);
  for (int64_t position = 0; position < spans.positions; ++position) {
    const int64_t row = spans.RowAt(position);
    if (keep(row)) out.rows.push_back(static_cast<int32_t>(row));
    before[position + 1] = static_cast<int32_t>(out.rows.size());
  }
  out.positions = static_cast<int64_t>(out.rows.size());
  // An empty list of rows would mean all of them.
  if (out.rows.empty()) out.rows.push_back(0);
  out.begin.resize(spans.begin.size());
  out.end.resize(spans.end.size());
  for (size_t set = 0; set < spans.begin.size(); ++set) {
    out.begin[set] = before[spans.begin[set]];
    out.end[set] = before[spans.end[set]];
  }
  return out;
}

/// Slides over the spans of a segment: remove(row) for what a set has no more, add(row) for what it
/// has newly, emit(set); after the last set it removes the rest, so that the state is empty again.
template <typename Add, typename Remove, typename Emit>
void Slide(const Spans& spans, const Sets& sets, int64_t segment, Add&& add, Remove&& remove,
           Emit&& emit) {
  int32_t out = 0;
  int32_t in = 0;
  for (int64_t set = sets.begin[segment]; set < sets.begin[segment + 1]; ++set) {
    const int32_t first = spans.begin[set];
    for (; out < std::min(in, first); ++out) remove(spans.RowAt(out));
    if (out < first) in = out = first;  // no set has the rows between two spans
    for (; in < spans.end[set]; ++in) add(spans.RowAt(in));
    emit(set);
  }
  for (; out < in; ++out) remove(spans.RowAt(out));
}

}  // namespace viand::engine
