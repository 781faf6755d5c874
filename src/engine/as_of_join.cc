#include "src/engine/as_of_join.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bitmap_generate.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "src/common/block_pool.h"
#include "src/engine/as_of_merge.h"
#include "src/engine/as_of_times.h"
#include "src/engine/exact_words.h"
#include "src/engine/key_index.h"

namespace viand::engine {
namespace {

// The feature rows of group 0, then of group 1, ... as the search sees them: `known` ascends within
// a group, and best[i] is the greatest in (ts, created, row) of the group's rows up to i. A row is
// known from its ts on or, where `created` counts, from the later of both.
template <typename Tick>
struct Candidates {
  PoolVector<int32_t> begin;  // begin[g]: where group g starts; one more at the end
  PoolVector<Tick> known;
  PoolVector<int32_t> best;
};

// Deals rows that have a group and a time out to their groups, in their own order.
template <typename Tick>
Candidates<Tick> GroupRows(const PoolVector<int32_t>& groups, int64_t group_count,
                           const Times<Tick>& times, const arrow::Array* with_nulls[2]) {
  Candidates<Tick> out;
  out.begin.assign(group_count + 1, 0);
  const auto size = static_cast<int32_t>(groups.size());
  PoolVector<int32_t> without_nulls;
  const PoolVector<int32_t>* group_of = &groups;
  if (with_nulls[0] != nullptr || with_nulls[1] != nullptr) {
    without_nulls = groups;
    for (int which = 0; which < 2; ++which) {
      for (int32_t row = 0; with_nulls[which] != nullptr && row < size; ++row) {
        if (with_nulls[which]->IsNull(row)) without_nulls[row] = KeyIndex::kNoGroup;
      }
    }
    group_of = &without_nulls;
  }
  for (const int32_t group : *group_of) {
    if (group >= 0) ++out.begin[group + 1];
  }
  for (int64_t group = 0; group < group_count; ++group) out.begin[group + 1] += out.begin[group];
  PoolVector<int32_t> next(out.begin.begin(), out.begin.end() - 1);
  out.known.resize(out.begin.back());
  out.best.resize(out.begin.back());
  for (int32_t row = 0; row < size; ++row) {
    const int32_t group = (*group_of)[row];
    if (group < 0) continue;
    const int32_t at = next[group]++;
    out.known[at] = times[row];
    out.best[at] = row;
  }
  return out;
}

// Puts every group into the order of (ts, created, row). Rows come in their own order, so times
// that do not descend are sorted already unless a time of creation decides.
template <typename Tick>
void SortGroups(const FeatureTimes<Tick>& times, Candidates<Tick>* rows) {
  const auto less = [&](int32_t a, int32_t b) { return times.Less(a, b); };
  for (size_t group = 0; group + 1 < rows->begin.size(); ++group) {
    const int32_t begin = rows->begin[group], end = rows->begin[group + 1];
    const auto first = rows->best.begin() + begin, last = rows->best.begin() + end;
    if (times.created_array == nullptr
            ? std::is_sorted(rows->known.begin() + begin, rows->known.begin() + end)
            : std::is_sorted(first, last, less))
      continue;
    std::sort(first, last, less);
    for (int32_t i = begin; i < end; ++i) rows->known[i] = times.time[rows->best[i]];
  }
}

// Orders sorted groups by the time from which rows are known, and gives each the best until then.
template <typename Tick>
void OrderByKnown(const FeatureTimes<Tick>& times, Candidates<Tick>* rows) {
  struct Row {
    Tick known;
    int32_t best;
  };
  std::vector<Row> run;
  for (size_t group = 0; group + 1 < rows->begin.size(); ++group) {
    run.clear();
    for (int32_t i = rows->begin[group]; i < rows->begin[group + 1]; ++i) {
      const int32_t row = rows->best[i];
      run.push_back({std::max(times.time[row], times.created[row]), row});
    }
    std::stable_sort(run.begin(), run.end(),
                     [](const Row& a, const Row& b) { return a.known < b.known; });
    int32_t at = rows->begin[group];
    for (size_t i = 0; i < run.size(); ++i, ++at) {
      if (i > 0 && times.Less(run[i].best, run[i - 1].best)) run[i].best = run[i - 1].best;
      rows->known[at] = run[i].known;
      rows->best[at] = run[i].best;
    }
  }
}

// The last of `count` ascending times that is not after t, as an index; -1: none. Without branches,
// which would be mispredicted: where among its key's rows a spine row falls has no pattern.
template <typename Tick>
int32_t LastNotAfter(const Tick* times, int32_t count, Tick t) {
  if (count == 0) return -1;
  const Tick* base = times;
  while (count > 1) {
    const int32_t half = count / 2;
    base = base[half - 1] <= t ? base + half : base;
    count -= half;
  }
  return static_cast<int32_t>(base - times) - (*base <= t ? 0 : 1);
}

/// Looks every spine row up among the candidates of its group; -1: nothing matches. Rows of a block
/// are asked for ahead, since each lies somewhere else in memory.
template <typename Tick>
void Probe(const Candidates<Tick>& candidates, const FeatureTimes<Tick>& features,
           const LowerBound<Tick>& bound, const PoolVector<int32_t>& groups,
           const Times<Tick>& times, int64_t* found) {
  constexpr int64_t kBlock = 32;
  const auto rows = static_cast<int64_t>(groups.size());
  for (int64_t block = 0; block < rows; block += kBlock) {
    const int64_t end = std::min(block + kBlock, rows);
    std::array<int32_t, kBlock> begins, counts;
    for (int64_t i = block; i < end; ++i) {
      const int32_t group = groups[i];
      const int32_t begin = group < 0 ? 0 : candidates.begin[group];
      begins[i - block] = begin;
      counts[i - block] = group < 0 ? 0 : candidates.begin[group + 1] - begin;
      __builtin_prefetch(candidates.known.data() + begin + counts[i - block] / 2);
    }
    for (int64_t i = block; i < end; ++i) {
      const int32_t begin = begins[i - block];
      const int32_t last =
          LastNotAfter(candidates.known.data() + begin, counts[i - block], times[i]);
      found[i] = last < 0 ? -1 : candidates.best[begin + last];
      if (last >= 0 && !bound.Admits(features.time[found[i]], times[i])) found[i] = -1;
    }
  }
}

const arrow::Array* NullsOf(const std::shared_ptr<arrow::Array>& array) {
  return array != nullptr && array->null_count() > 0 ? array.get() : nullptr;
}

// The keys of both sides as groups of one index.
struct KeyGroups {
  const PoolVector<int32_t>& spine;
  const PoolVector<int32_t>& features;
  int64_t count;
};

// Groups the features by key, and searches the group of every spine row.
template <typename Tick>
void SearchGroups(const AsOfSide& spine, const Times<Tick>& spine_times, const AsOfSide& features,
                  const FeatureTimes<Tick>& times, const KeyGroups& groups, bool created_counts,
                  const LowerBound<Tick>& bound, int64_t* found) {
  const arrow::Array* with_nulls[2] = {NullsOf(features.time),
                                       created_counts ? NullsOf(features.created) : nullptr};
  Candidates<Tick> candidates = GroupRows(groups.features, groups.count, times.time, with_nulls);
  SortGroups(times, &candidates);
  if (created_counts) OrderByKnown(times, &candidates);
  Probe(candidates, times, bound, groups.spine, spine_times, found);
  if (const arrow::Array* nulls = NullsOf(spine.time)) {
    for (int64_t i = 0; i < nulls->length(); ++i) found[i] = nulls->IsNull(i) ? -1 : found[i];
  }
}

template <typename Tick>
void FindRows(const AsOfSide& spine, const AsOfSide& features, const KeyGroups& groups,
              const AsOfOptions& options, int64_t tick_ns, int64_t* found) {
  FeatureTimes<Tick> times;
  times.time = Times<Tick>(features.time, tick_ns);
  if (features.created) {
    times.created = Times<Tick>(features.created, tick_ns);
    times.created_array = features.created.get();
  }
  const Times<Tick> spine_times(spine.time, tick_ns);
  const LowerBound<Tick> bound(options, tick_ns);
  const bool created_counts = options.created_not_after && features.created;
  SearchGroups(spine, spine_times, features, times, groups, created_counts, bound, found);
}

// Row numbers, null where negative.
arrow::Result<std::shared_ptr<arrow::Int64Array>> WithNulls(
    const std::shared_ptr<arrow::Buffer>& buffer, int64_t rows, arrow::MemoryPool* pool) {
  const auto* found = reinterpret_cast<const int64_t*>(buffer->data());
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity,
                         arrow::AllocateEmptyBitmap(rows, pool));
  int64_t row = 0, none = 0;
  arrow::internal::GenerateBitsUnrolled(validity->mutable_data(), 0, rows, [&] {
    const bool valid = found[row++] >= 0;
    none += valid ? 0 : 1;
    return valid;
  });
  return std::make_shared<arrow::Int64Array>(rows, buffer, validity, none);
}

arrow::Status CheckOptions(const AsOfOptions& options) {
  if (options.ttl_us < 0) return arrow::Status::Invalid("negative ttl: ", options.ttl_us, " us");
  if (!std::is_sorted(options.grid_us.begin(), options.grid_us.end())) {
    return arrow::Status::Invalid("grid_us is not ascending");
  }
  return arrow::Status::OK();
}

bool AllFit(const std::vector<std::shared_ptr<arrow::Array>>& arrays, int64_t tick_ns) {
  return std::all_of(arrays.begin(), arrays.end(), [&](const auto& array) {
    return !array || TicksFit(Words::Of(array), *array->type(), array->length(), tick_ns);
  });
}

/// Joins by groups of keys: for feature rows in any order.
arrow::Status SearchAsOf(const AsOfSide& spine, const AsOfSide& features,
                         const AsOfOptions& options, int64_t* found) {
  // The index is built on the smaller side; feature rows of keys that the spine lacks are then
  // never sorted.
  const bool spine_is_smaller = spine.time->length() < features.time->length();
  const AsOfSide& small = spine_is_smaller ? spine : features;
  const AsOfSide& large = spine_is_smaller ? features : spine;
  VIAND_ASSIGN_OR_RETURN(const KeyIndex index,
                         KeyIndex::Make(small.keys, small.time->length(), {}));
  VIAND_ASSIGN_OR_RETURN(const PoolVector<int32_t> others,
                         index.Find(large.keys, large.time->length()));
  const KeyGroups groups{spine_is_smaller ? index.groups() : others,
                         spine_is_smaller ? others : index.groups(), index.size()};
  std::vector<const arrow::Array*> arrays = {spine.time.get(), features.time.get()};
  if (features.created) arrays.push_back(features.created.get());
  const int64_t tick_ns = CommonTick(arrays);
  if (AllFit({spine.time, features.time, features.created}, tick_ns)) {
    FindRows<int64_t>(spine, features, groups, options, tick_ns, found);
  } else {
    FindRows<__int128>(spine, features, groups, options, tick_ns, found);
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status CheckAsOfTimes(const AsOfSide& spine, const AsOfSide& features) {
  VIAND_RETURN_NOT_OK(CheckTime(*spine.time, "the spine's timestamp"));
  VIAND_RETURN_NOT_OK(CheckTime(*features.time, "the features' timestamp"));
  if (!features.created) return arrow::Status::OK();
  VIAND_RETURN_NOT_OK(CheckTime(*features.created, "the created timestamp"));
  return features.created->length() == features.time->length()
             ? arrow::Status::OK()
             : arrow::Status::Invalid("created and time differ in length");
}

arrow::Result<std::shared_ptr<arrow::Int64Array>> AsOfJoin(const AsOfSide& spine,
                                                           const AsOfSide& features,
                                                           const AsOfOptions& options,
                                                           arrow::MemoryPool* pool) {
  if (!pool) pool = ProcessPool();
  VIAND_RETURN_NOT_OK(CheckAsOfTimes(spine, features));
  VIAND_RETURN_NOT_OK(CheckOptions(options));
  const int64_t rows = spine.time->length();
  if (std::max(rows, features.time->length()) >= std::numeric_limits<int32_t>::max()) {
    return MakeError(ErrorKind::kInput,
                     "a partition of 2^31 - 1 rows or more is too large for an as-of join",
                     "use more partitions");
  }
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                         arrow::AllocateBuffer(rows * sizeof(int64_t), pool));
  auto* found = reinterpret_cast<int64_t*>(buffer->mutable_data());
  const std::vector<AsOfPiece> whole = {{.rows = features}};
  VIAND_RETURN_NOT_OK(CanMerge(spine, whole, options)
                          ? MergeAsOf(spine, whole, options, found)
                          : SearchAsOf(spine, features, options, found));
  return WithNulls(buffer, rows, pool);
}

}  // namespace viand::engine
