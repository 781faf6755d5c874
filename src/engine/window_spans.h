// The rows of a window's sets where they are neighbours: a span of positions a set. While t grows
// neither end of a span falls, so an aggregate over all sets of a segment slides over its rows
// once. Values only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "src/common/pool_vector.h"
#include "src/engine/time_window.h"
#include "src/engine/window_members.h"

namespace viand::engine {

/// Events by key, those of a key in order of (time, row).
struct EventRuns {
  PoolVector<int32_t> begin =
      PoolVector<int32_t>(1, 0);  ///< begin[k]: where key k starts; one more at the end
  std::shared_ptr<const PoolVector<int32_t>>
      rows;                  ///< index in the columns; null: the position is the index
  PoolVector<int64_t> time;  ///< of each position

  int64_t keys() const { return static_cast<int64_t>(begin.size()) - 1; }
};

/// In which units times are, nanoseconds each.
struct TimeUnits {
  int64_t set_ns = 1000;
  int64_t event_ns = 1000;
};

struct Spans {
  std::shared_ptr<const PoolVector<int32_t>>
      rows;  ///< index of each position in the arrays of values; null: the position is the index
  int64_t positions = 0;
  PoolVector<int32_t> begin;  ///< of each set: its first position
  std::shared_ptr<const PoolVector<int32_t>>
      end;  ///< and the one after its last. Windows that end alike share it

  int64_t RowAt(int64_t position) const { return rows == nullptr ? position : (*rows)[position]; }
  int64_t size(int64_t set) const { return int64_t{(*end)[set]} - begin[set]; }
};

/// Returns the rows of sets at times `set_time`. Segment s is key s, and has no rows where there is
/// no such key. `like`: another window's spans of the same sets, whose ends are taken where they
/// are the same; null: none.
Spans SpansOf(const EventRuns& runs, const Sets& sets, const PoolVector<int64_t>& set_time,
              const TimeWindow& window, TimeUnits units, const Spans* like = nullptr);

/// Returns the spans of those sets that are kept.
Spans KeepSets(const Spans& spans, const std::vector<bool>& keep);

/// Returns the spans as members of sets.
Members MembersOf(const Spans& spans, const Sets& sets);

/// Some of the rows that spans are over.
class RowChoice {
 public:
  /// Chooses the rows of `spans` for which keep(row).
  template <typename Keep>
  RowChoice(const Spans& spans, Keep&& keep) : before_(spans.positions + 1) {
    auto rows = std::make_shared<PoolVector<int32_t>>();
    rows->reserve(spans.positions);
    before_[0] = 0;
    for (int64_t position = 0; position < spans.positions; ++position) {
      const int64_t row = spans.RowAt(position);
      if (keep(row)) rows->push_back(static_cast<int32_t>(row));
      before_[position + 1] = static_cast<int32_t>(rows->size());
    }
    rows_ = std::move(rows);
  }

  /// The spans of these rows alone. `spans` are over the rows that were chosen from; `like` as in
  /// SpansOf: made by this from spans that share their ends with `spans`.
  Spans Of(const Spans& spans, const Spans* like = nullptr) const;

 private:
  std::shared_ptr<const PoolVector<int32_t>> rows_;
  PoolVector<int32_t> before_;  // how many are chosen before each position
};

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
    for (; in < (*spans.end)[set]; ++in) add(spans.RowAt(in));
    emit(set);
  }
  for (; out < in; ++out) remove(spans.RowAt(out));
}

}  // namespace viand::engine
