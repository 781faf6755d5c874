#include "src/engine/as_of_merge.h"

#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <utility>

#include "src/common/pool_vector.h"
#include "src/engine/as_of_times.h"
#include "src/engine/key_index.h"
#include "src/engine/radix_sort.h"

namespace viand::engine {
namespace {

/// Feature rows that are looked up at a time: their groups stay in the nearest cache.
constexpr int64_t kBlockRows = 4096;

/// A row of the spine when its turn comes.
struct SpineTurn {
  int64_t time;
  int32_t row;
  int32_t group;
};

/// A row of the spine, and its time less the earliest in units in which 22 bits hold it.
struct SpineMoment {
  uint32_t moment;
  int32_t row;
};

/// The spine's rows that have a group and a time, in the order of their times: by their leading
/// bits in two passes, then exactly where these are equal.
PoolVector<SpineTurn> SpineInOrder(const Times<int64_t>& times, const PoolVector<int32_t>& groups,
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
  PoolVector<SpineTurn> turns(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    turns[i] = {times[order[i].row], order[i].row, groups[order[i].row]};
  for (size_t run = 0, end = 1; shift > 0 && run < order.size(); run = end++) {
    while (end < order.size() && order[end].moment == order[run].moment) ++end;
    std::sort(turns.begin() + static_cast<std::ptrdiff_t>(run),
              turns.begin() + static_cast<std::ptrdiff_t>(end),
              [](const SpineTurn& a, const SpineTurn& b) { return a.time < b.time; });
  }
  return turns;
}

/// The latest row of a key, where all that matters is which it is.
struct LatestPlace {
  int64_t place = -1;

  bool IsAfter(const LatestPlace& /*other*/) const { return true; }
  int64_t time() const { return 0; }
};

/// The same where a bound needs its time, or a time of creation decides between equal times.
struct LatestRow {
  int64_t place = -1;
  int64_t at = 0;
  int64_t created = 0;
  bool has_created = false;  // false: null, which is before every other

  /// Whether it is after a row that came before it.
  bool IsAfter(const LatestRow& other) const {
    if (at != other.at || has_created != other.has_created) return at != other.at || has_created;
    return !has_created || created >= other.created;
  }
  int64_t time() const { return at; }
};

/// One pass over the features, in pieces. `Latest` is one of the two above.
template <typename Latest>
class Merge {
 public:
  Merge(PoolVector<SpineTurn> turns, int64_t groups, const LowerBound<int64_t>& bound,
        int64_t* found)
      : turns_(std::move(turns)), bound_(bound), found_(found), latest_(groups + 1, Latest{}) {}

  /// Whether every row of the spine had its turn: later features match nothing.
  bool IsDone() const { return next_ == turns_.size(); }

  /// row_at(i) is row i of these as a Latest. Ascending times continue those added before.
  template <typename RowAt>
  void Add(const Times<int64_t>& times, const PoolVector<int32_t>& groups, RowAt&& row_at) {
    const int64_t rows = times.size();
    for (int64_t i = 0; i < rows && !IsDone();) {
      for (const int64_t t = turns_[next_].time; i < rows && times[i] <= t; ++i) {
        // Rows without a group (-1) share a place of their own.
        Latest& latest = latest_[groups[i] + 1];
        const Latest row = row_at(i);
        if (latest.place < 0 || row.IsAfter(latest)) latest = row;
      }
      if (i < rows) Settle(&next_);
    }
  }

  void Finish() {
    while (!IsDone()) Settle(&next_);
  }

 private:
  void Settle(size_t* turn) {
    const SpineTurn& each = turns_[(*turn)++];
    const Latest& latest = latest_[each.group + 1];
    if (latest.place >= 0 && bound_.Admits(latest.time(), each.time))
      found_[each.row] = latest.place;
  }

  const PoolVector<SpineTurn> turns_;
  const LowerBound<int64_t>& bound_;
  int64_t* const found_;
  PoolVector<Latest> latest_;  // of group g at g + 1
  size_t next_ = 0;            // of turns_
};

AsOfPiece Sliced(const AsOfPiece& piece, int64_t first, int64_t rows) {
  if (first == 0 && rows == piece.rows.time->length()) return piece;
  AsOfPiece slice = piece;
  for (auto& key : slice.rows.keys) key = key->Slice(first, rows);
  slice.rows.time = piece.rows.time->Slice(first, rows);
  if (piece.rows.created) slice.rows.created = piece.rows.created->Slice(first, rows);
  if (piece.offsets != nullptr)
    slice.offsets += first;
  else
    slice.first_place += first;
  return slice;
}

LatestPlace RowOf(const AsOfPiece& piece, int64_t row, const Times<int64_t>& /*times*/,
                  const Times<int64_t>& /*created*/, LatestPlace /*kind*/) {
  return {piece.first_place + (piece.offsets != nullptr ? piece.offsets[row] : row)};
}

LatestRow RowOf(const AsOfPiece& piece, int64_t row, const Times<int64_t>& times,
                const Times<int64_t>& created, LatestRow /*kind*/) {
  LatestRow latest{.place = RowOf(piece, row, times, created, LatestPlace{}).place,
                   .at = times[row]};
  latest.has_created = piece.rows.created != nullptr && piece.rows.created->IsValid(row);
  if (latest.has_created) latest.created = created[row];
  return latest;
}

template <typename Latest>
arrow::Status MergePieces(const KeyIndex& index, const std::vector<AsOfPiece>& pieces,
                          int64_t tick_ns, Merge<Latest>* merge) {
  for (const AsOfPiece& piece : pieces) {
    for (int64_t first = 0; first < piece.rows.time->length(); first += kBlockRows) {
      if (merge->IsDone()) return arrow::Status::OK();
      const int64_t rows = std::min(kBlockRows, piece.rows.time->length() - first);
      const AsOfPiece block = Sliced(piece, first, rows);
      VIAND_ASSIGN_OR_RETURN(const auto groups, index.Find(block.rows.keys, rows));
      const Times<int64_t> times(block.rows.time, tick_ns);
      Times<int64_t> created;
      if (block.rows.created) created = Times<int64_t>(block.rows.created, tick_ns);
      merge->Add(times, groups,
                 [&](int64_t row) { return RowOf(block, row, times, created, Latest{}); });
    }
  }
  merge->Finish();
  return arrow::Status::OK();
}

/// Whether keys can be compared, known before the first rows meet.
arrow::Status CheckKeys(const AsOfSide& spine, const AsOfSide& features) {
  const auto none_of = [](std::vector<std::shared_ptr<arrow::Array>> keys) {
    for (auto& key : keys) key = key->Slice(0, 0);
    return keys;
  };
  VIAND_ASSIGN_OR_RETURN(const KeyIndex index, KeyIndex::Make(none_of(features.keys), 0, {}));
  return index.Find(none_of(spine.keys), 0).status();
}

int64_t TickOf(const AsOfSide& spine, const std::vector<AsOfPiece>& pieces) {
  std::vector<const arrow::Array*> arrays = {spine.time.get()};
  for (const AsOfPiece& piece : pieces) {
    arrays.push_back(piece.rows.time.get());
    if (piece.rows.created) arrays.push_back(piece.rows.created.get());
  }
  return CommonTick(arrays);
}

bool Fits(const std::shared_ptr<arrow::Array>& times, int64_t tick_ns) {
  return times == nullptr || TicksFit(Words::Of(times), *times->type(), times->length(), tick_ns);
}

}  // namespace

bool CanMerge(const AsOfSide& spine, const std::vector<AsOfPiece>& pieces,
              const AsOfOptions& options) {
  const int64_t tick_ns = TickOf(spine, pieces);
  if (!Fits(spine.time, tick_ns)) return false;
  int64_t last = std::numeric_limits<int64_t>::min();
  for (const AsOfPiece& piece : pieces) {
    const auto& time = piece.rows.time;
    if (time->null_count() > 0 || (options.created_not_after && piece.rows.created)) return false;
    if (!Fits(time, tick_ns) || !Fits(piece.rows.created, tick_ns)) return false;
    const Times<int64_t> times(time, tick_ns);
    if (times.size() == 0) continue;
    if (*times.begin() < last || !std::is_sorted(times.begin(), times.end())) return false;
    last = times[times.size() - 1];
  }
  return true;
}

arrow::Status MergeAsOf(const AsOfSide& spine, const std::vector<AsOfPiece>& pieces,
                        const AsOfOptions& options, int64_t* found) {
  const int64_t rows = spine.time->length();
  std::fill(found, found + rows, -1);
  if (!pieces.empty()) VIAND_RETURN_NOT_OK(CheckKeys(spine, pieces.front().rows));
  VIAND_ASSIGN_OR_RETURN(const KeyIndex index, KeyIndex::Make(spine.keys, rows, {}));
  const int64_t tick_ns = TickOf(spine, pieces);
  auto turns = SpineInOrder(Times<int64_t>(spine.time, tick_ns), index.groups(),
                            spine.time->null_count() > 0 ? spine.time.get() : nullptr);
  const LowerBound<int64_t> bound(options, tick_ns);
  const bool created = std::any_of(pieces.begin(), pieces.end(),
                                   [](const auto& piece) { return piece.rows.created != nullptr; });
  if (!bound.Binds() && !created) {
    Merge<LatestPlace> merge(std::move(turns), index.size(), bound, found);
    return MergePieces(index, pieces, tick_ns, &merge);
  }
  Merge<LatestRow> merge(std::move(turns), index.size(), bound, found);
  return MergePieces(index, pieces, tick_ns, &merge);
}

}  // namespace viand::engine
