// min, max, first, last, last_n, quantile, mode: aggregates by the order of the members or of their
// values.
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "src/engine/aggregate_function.h"
#include "src/engine/sliding_order.h"

namespace viand::engine {
namespace {

using expression::AggregateFunction;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

// A segment's members in the order of their values; equal ones by their own order.
template <typename KeyOf>
PoolVector<int64_t> SortSegment(const Members& members, int64_t segment, KeyOf&& key_of) {
  PoolVector<int64_t> sorted(members.begin[segment + 1] - members.begin[segment]);
  std::iota(sorted.begin(), sorted.end(), members.begin[segment]);
  const auto less = [&](int64_t a, int64_t b) {
    return std::pair(key_of(a), members.OrderOf(a)) < std::pair(key_of(b), members.OrderOf(b));
  };
  if (!std::is_sorted(sorted.begin(), sorted.end(), less))
    std::sort(sorted.begin(), sorted.end(), less);
  return sorted;
}

// Gives each set the first of the members offered to it that covers it: members are offered best
// first.
class Painter {
 public:
  explicit Painter(int64_t sets) : next_(sets + 1), value_(sets, -1) {
    std::iota(next_.begin(), next_.end(), 0);
  }

  void Paint(int64_t value, int64_t enter, int64_t leave) {
    for (int64_t set = FirstBare(enter); set < leave; set = FirstBare(set)) {
      value_[set] = value;
      next_[set] = set + 1;
    }
  }
  /// Gives one set its member, for which nobody else paints.
  void Put(int64_t set, int64_t value) { value_[set] = value; }
  const PoolVector<int64_t>& values() const { return value_; }

 private:
  int64_t FirstBare(int64_t set) {
    while (next_[set] != set) {
      next_[set] = next_[next_[set]];
      set = next_[set];
    }
    return set;
  }

  PoolVector<int64_t> next_;  // towards the first set from here on that has no value
  PoolVector<int64_t> value_;
};

bool LeaveInOrder(const Members& members, int64_t segment) {
  for (int64_t i = members.begin[segment] + 1; i < members.begin[segment + 1]; ++i) {
    if (members[i].leave < members[i - 1].leave) return false;
  }
  return members.order.empty();
}

// The extremes of a segment whose members leave in the order in which they came, as the rows of a
// window do. `candidates` holds, from `first` on, those that may yet be an extreme in order of
// their coming: none is worse than the next, so the first is the extreme.
template <typename Better>
void SlideExtremes(const Members& members, const Sets& sets, int64_t segment,
                   PoolVector<int64_t>* candidates, Better&& better, Painter* painter) {
  candidates->clear();
  size_t first = 0;
  int64_t next = members.begin[segment];
  const int64_t end = members.begin[segment + 1];
  for (int64_t set = sets.begin[segment]; set < sets.begin[segment + 1]; ++set) {
    for (; next < end && members[next].enter == set; ++next) {
      while (candidates->size() > first && better(next, candidates->back())) candidates->pop_back();
      candidates->push_back(next);
    }
    while (first < candidates->size() && members[(*candidates)[first]].leave <= set) ++first;
    if (first < candidates->size()) painter->Put(set, members[(*candidates)[first]].value);
  }
}

// The values at `rows`, null where negative.
ArrayResult TakeRows(const std::shared_ptr<arrow::Array>& values, const PoolVector<int64_t>& rows,
                     const AggregateContext& context) {
  arrow::Int64Builder indices(context.pool);
  VIAND_RETURN_NOT_OK(indices.Reserve(rows.size()));
  for (const int64_t row : rows) {
    if (row < 0)
      indices.UnsafeAppendNull();
    else
      indices.UnsafeAppend(row);
  }
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> index_array, indices.Finish());
  arrow::compute::ExecContext exec(context.pool);
  VIAND_ASSIGN_OR_RETURN(const arrow::Datum taken,
                         arrow::compute::Take(values, index_array,
                                              arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  return taken.make_array();
}

template <typename ArrayType, typename Builder>
ArrayResult OneZero(const arrow::Array& array, arrow::MemoryPool* pool) {
  const auto& typed = static_cast<const ArrayType&>(array);
  Builder out(pool);
  VIAND_RETURN_NOT_OK(out.Reserve(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    const auto value = typed.Value(i);
    if (array.IsNull(i))
      out.UnsafeAppendNull();
    else
      out.UnsafeAppend(std::isnan(value)
                           ? std::numeric_limits<decltype(typed.Value(i))>::quiet_NaN()
                           : value + 0);
  }
  return out.Finish();
}

// Equal values made identical: -0.0 becomes 0.0, and every NaN the same.
ArrayResult Unify(const std::shared_ptr<arrow::Array>& array, arrow::MemoryPool* pool) {
  if (array->type_id() == arrow::Type::DOUBLE)
    return OneZero<arrow::DoubleArray, arrow::DoubleBuilder>(*array, pool);
  if (array->type_id() == arrow::Type::FLOAT)
    return OneZero<arrow::FloatArray, arrow::FloatBuilder>(*array, pool);
  return array;
}

double Interpolate(double quantile, int64_t count, const auto& value_at) {
  const double place = static_cast<double>(count - 1) * quantile;
  const auto below = static_cast<int64_t>(std::floor(place));
  const auto above = static_cast<int64_t>(std::ceil(place));
  if (below == above) return value_at(below);
  const double share = place - static_cast<double>(below);
  return value_at(below) * (1.0 - share) + value_at(above) * share;
}

// The most frequent of the values that come and go, the least of several.
class SlidingMode {
 public:
  void Start(size_t ranks) { counts_.assign(ranks, 0); }
  void Change(int64_t rank, int64_t by) {
    int64_t& count = counts_[rank];
    if (count > 0) best_.erase({-count, rank});
    count += by;
    if (count > 0) best_.insert({-count, rank});
  }
  int64_t Best() const { return best_.empty() ? -1 : best_.begin()->second; }

 private:
  PoolVector<int64_t> counts_;
  std::set<std::pair<int64_t, int64_t>> best_;  // (-count, rank)
};

}  // namespace

ArrayResult ExtremesOfSets(AggregateFunction function, AggregateValues* values,
                           const Members& members, const Sets& sets,
                           const AggregateContext& context) {
  const bool by_value = function == AggregateFunction::kMin || function == AggregateFunction::kMax;
  const int64_t* keys = nullptr;
  if (by_value) {
    VIAND_ASSIGN_OR_RETURN(keys, values->OrderKeys());
  }
  const bool descending = function == AggregateFunction::kMax;
  const auto key_of = [&](int64_t i) {
    const int64_t key = by_value ? keys[members[i].value] : 0;
    return descending ? ~key : key;
  };
  Painter painter(sets.size());
  PoolVector<int64_t> candidates;
  const bool in_order = !by_value && members.order.empty();
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const auto paint = [&](int64_t i) {
      painter.Paint(members[i].value, members[i].enter, members[i].leave);
    };
    if (in_order && function == AggregateFunction::kFirst) {
      for (int64_t i = members.begin[segment]; i < members.begin[segment + 1]; ++i) paint(i);
    } else if (in_order) {
      for (int64_t i = members.begin[segment + 1]; i-- > members.begin[segment];) paint(i);
    } else if (by_value && LeaveInOrder(members, segment)) {
      SlideExtremes(
          members, sets, segment, &candidates,
          [&](int64_t a, int64_t b) { return key_of(a) < key_of(b); }, &painter);
    } else {
      const PoolVector<int64_t> sorted = SortSegment(members, segment, key_of);
      if (function == AggregateFunction::kLast)
        std::for_each(sorted.rbegin(), sorted.rend(), paint);
      else
        std::for_each(sorted.begin(), sorted.end(), paint);
    }
  }
  return TakeRows(values->array(), painter.values(), context);
}

ArrayResult LastOfSets(int64_t count, AggregateValues* values, const Members& members,
                       const Sets& sets, const AggregateContext& context) {
  PoolVector<int64_t> rows;
  arrow::Int32Builder offsets(context.pool);
  PoolVector<int64_t> slot_of(members.size());
  PoolVector<int64_t> scratch;
  SlidingOrder order;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const PoolVector<int64_t> sorted = SortSegment(members, segment, [](int64_t) { return 0; });
    for (size_t slot = 0; slot < sorted.size(); ++slot)
      slot_of[sorted[slot]] = static_cast<int64_t>(slot);
    order.Start(static_cast<int64_t>(sorted.size()));
    arrow::Status status;
    Sweep(
        members, sets, segment, &scratch, [&](int64_t i, int64_t) { order.Add(slot_of[i]); },
        [&](int64_t i, int64_t) { order.Remove(slot_of[i]); },
        [&](int64_t) {
          const auto begin = static_cast<int64_t>(rows.size());
          status &=
              begin > std::numeric_limits<int32_t>::max()
                  ? MakeError(ErrorKind::kInput, "last_n: a partition's lists exceed 2^31 values",
                              "use more partitions")
              : order.size() == 0 ? offsets.AppendNull()
                                  : offsets.Append(static_cast<int32_t>(begin));
          for (int64_t i = 0; i < std::min(count, order.size()); ++i) {
            rows.push_back(members[sorted[order.At(order.size() - 1 - i)]].value);
          }
        });
    VIAND_RETURN_NOT_OK(status);
  }
  if (rows.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return MakeError(ErrorKind::kInput, "last_n: a partition's lists exceed 2^31 values",
                     "use more partitions");
  }
  VIAND_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(rows.size())));
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> offset_array, offsets.Finish());
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> taken,
                         TakeRows(values->array(), rows, context));
  return arrow::ListArray::FromArrays(*offset_array, *taken, context.pool);
}

ArrayResult QuantileOfSets(double quantile, AggregateValues* values, const Members& members,
                           const Sets& sets, const AggregateContext& context) {
  VIAND_ASSIGN_OR_RETURN(const int64_t* keys, values->OrderKeys());
  arrow::DoubleBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  PoolVector<int64_t> slot_of(members.size());
  PoolVector<int64_t> scratch;
  SlidingOrder order;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const PoolVector<int64_t> sorted =
        SortSegment(members, segment, [&](int64_t i) { return keys[members[i].value]; });
    for (size_t slot = 0; slot < sorted.size(); ++slot)
      slot_of[sorted[slot]] = static_cast<int64_t>(slot);
    order.Start(static_cast<int64_t>(sorted.size()));
    const auto value_at = [&](int64_t rank) {
      const int64_t row = members[sorted[order.At(rank)]].value;
      return values->IsDouble() ? values->Doubles()[row]
                                : static_cast<double>(values->Integers()[row]);
    };
    Sweep(
        members, sets, segment, &scratch, [&](int64_t i, int64_t) { order.Add(slot_of[i]); },
        [&](int64_t i, int64_t) { order.Remove(slot_of[i]); },
        [&](int64_t) {
          if (order.size() == 0)
            out.UnsafeAppendNull();
          else
            out.UnsafeAppend(Interpolate(quantile, order.size(), value_at));
        });
  }
  return out.Finish();
}

ArrayResult ModeOfSets(AggregateValues* values, const Members& members, const Sets& sets,
                       const AggregateContext& context) {
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> unified,
                         Unify(values->array(), context.pool));
  VIAND_ASSIGN_OR_RETURN(AggregateValues unified_values, AggregateValues::Make(unified));
  VIAND_ASSIGN_OR_RETURN(const int64_t* keys, unified_values.OrderKeys());
  PoolVector<int64_t> rows(sets.size(), -1);
  PoolVector<int64_t> rank_of(members.size());
  PoolVector<int64_t> row_of_rank;
  PoolVector<int64_t> scratch;
  SlidingMode mode;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    const auto key_of = [&](int64_t i) { return keys[members[i].value]; };
    row_of_rank.clear();
    int64_t previous = -1;
    for (const int64_t i : SortSegment(members, segment, key_of)) {
      if (previous < 0 || key_of(previous) != key_of(i)) row_of_rank.push_back(members[i].value);
      rank_of[i] = static_cast<int64_t>(row_of_rank.size()) - 1;
      previous = i;
    }
    mode.Start(row_of_rank.size());
    Sweep(
        members, sets, segment, &scratch, [&](int64_t i, int64_t) { mode.Change(rank_of[i], 1); },
        [&](int64_t i, int64_t) { mode.Change(rank_of[i], -1); },
        [&](int64_t set) { rows[set] = mode.Best() < 0 ? -1 : row_of_rank[mode.Best()]; });
  }
  return TakeRows(unified, rows, context);
}

}  // namespace viand::engine
