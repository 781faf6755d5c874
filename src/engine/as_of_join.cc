#include "src/engine/as_of_join.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>

#include <algorithm>
#include <limits>
#include <string>

#include "src/engine/exact_words.h"
#include "src/engine/key_index.h"
#include "src/engine/key_runs.h"

namespace viand::engine {
namespace {

// A feature row as the search sees it: it is known from `known` on (the later of ts and, where
// asked for, created); `best` is the greatest in (ts, created, row) of the rows of its key known by
// then.
template <typename Tick>
struct Candidate {
  Tick known;
  int64_t best;
};

template <typename Tick>
struct FeatureTimes {
  std::vector<Tick> time;
  std::vector<Tick> created;  // empty: none
  const arrow::Array* created_array = nullptr;

  bool HasCreated(int64_t row) const { return created_array->IsValid(row); }

  // Order by (ts, created, row), a null created first.
  bool Less(int64_t a, int64_t b) const {
    if (time[a] != time[b]) return time[a] < time[b];
    if (!created.empty()) {
      if (HasCreated(a) != HasCreated(b)) return HasCreated(b);
      if (created[a] != created[b]) return created[a] < created[b];
    }
    return a < b;
  }
};

template <typename Tick>
void SortRuns(const FeatureTimes<Tick>& times, KeyRuns* runs) {
  const auto less = [&](int64_t a, int64_t b) { return times.Less(a, b); };
  for (int64_t group = 0; group < runs->groups(); ++group) {
    const auto run = runs->Run(group);
    if (!std::is_sorted(run.begin(), run.end(), less)) std::sort(run.begin(), run.end(), less);
  }
}

// The candidates of every run, by `known`. Rows sorted by (ts, created, row) are so already, unless
// created counts.
template <typename Tick>
std::vector<Candidate<Tick>> MakeCandidates(const FeatureTimes<Tick>& times, const KeyRuns& runs,
                                            bool created_not_after) {
  std::vector<Candidate<Tick>> out;
  out.reserve(runs.rows.size());
  for (const int64_t row : runs.rows) {
    const Tick known =
        created_not_after ? std::max(times.time[row], times.created[row]) : times.time[row];
    out.push_back({known, row});
  }
  if (!created_not_after) return out;
  for (int64_t group = 0; group < runs.groups(); ++group) {
    const auto begin = out.begin() + runs.begin[group];
    const auto end = out.begin() + runs.begin[group + 1];
    std::stable_sort(begin, end, [](const auto& a, const auto& b) { return a.known < b.known; });
    for (auto next = begin; next != end; ++next) {
      if (next != begin && times.Less(next->best, (next - 1)->best)) next->best = (next - 1)->best;
    }
  }
  return out;
}

// The oldest feature time that counts at t.
template <typename Tick>
class LowerBound {
 public:
  LowerBound(const AsOfOptions& options, int64_t tick_ns) : ttl_us_(options.ttl_us) {
    ticks_a_us_ = 1000 / tick_ns;
    for (const int64_t grid : options.grid_us) grid_.push_back(__int128{grid} * ticks_a_us_);
  }
  bool Admits(Tick time, Tick t) const {
    if (ttl_us_ != 0 && __int128{t} - time > __int128{ttl_us_} * ticks_a_us_) return false;
    if (grid_.empty()) return true;
    const auto after = std::upper_bound(grid_.begin(), grid_.end(), __int128{t});
    return after == grid_.begin() || __int128{time} >= *(after - 1);
  }

 private:
  int64_t ttl_us_;
  int64_t ticks_a_us_;
  std::vector<__int128> grid_;
};

template <typename Tick>
std::vector<Tick> ReadTimes(const std::shared_ptr<arrow::Array>& array, int64_t tick_ns) {
  return ReadTicks<Tick>(Words::Of(array), *array->type(), array->length(), tick_ns);
}

template <typename Tick>
arrow::Result<std::shared_ptr<arrow::Int64Array>> Search(const AsOfSide& spine,
                                                         const std::vector<int32_t>& spine_groups,
                                                         const AsOfSide& features,
                                                         const std::vector<int32_t>& feature_groups,
                                                         int64_t groups, const AsOfOptions& options,
                                                         int64_t tick_ns, arrow::MemoryPool* pool) {
  FeatureTimes<Tick> times;
  times.time = ReadTimes<Tick>(features.time, tick_ns);
  if (features.created) {
    times.created = ReadTimes<Tick>(features.created, tick_ns);
    times.created_array = features.created.get();
  }
  const bool created_counts = options.created_not_after && features.created;
  KeyRuns runs = KeyRuns::Make(feature_groups, groups, [&](int64_t row) {
    return features.time->IsValid(row) && (!created_counts || features.created->IsValid(row));
  });
  SortRuns(times, &runs);
  const std::vector<Candidate<Tick>> candidates = MakeCandidates(times, runs, created_counts);
  const std::vector<Tick> spine_times = ReadTimes<Tick>(spine.time, tick_ns);
  const LowerBound<Tick> bound(options, tick_ns);

  arrow::Int64Builder out(pool);
  VIAND_RETURN_NOT_OK(out.Reserve(spine.time->length()));
  for (int64_t i = 0; i < spine.time->length(); ++i) {
    const int32_t group = spine_groups[i];
    if (group < 0 || spine.time->IsNull(i)) {
      out.UnsafeAppendNull();
      continue;
    }
    const Tick t = spine_times[i];
    const auto begin = candidates.begin() + runs.begin[group];
    const auto after =
        std::upper_bound(begin, candidates.begin() + runs.begin[group + 1], t,
                         [](const Tick& value, const auto& row) { return value < row.known; });
    if (after != begin && bound.Admits(times.time[(after - 1)->best], t)) {
      out.UnsafeAppend((after - 1)->best);
    } else {
      out.UnsafeAppendNull();
    }
  }
  std::shared_ptr<arrow::Int64Array> rows;
  VIAND_RETURN_NOT_OK(out.Finish(&rows));
  return rows;
}

arrow::Status CheckArguments(const AsOfSide& spine, const AsOfSide& features,
                             const AsOfOptions& options) {
  VIAND_RETURN_NOT_OK(CheckTime(*spine.time, "the spine's timestamp"));
  VIAND_RETURN_NOT_OK(CheckTime(*features.time, "the features' timestamp"));
  if (features.created) {
    VIAND_RETURN_NOT_OK(CheckTime(*features.created, "the created timestamp"));
    if (features.created->length() != features.time->length()) {
      return arrow::Status::Invalid("created and time differ in length");
    }
  }
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

}  // namespace

arrow::Result<std::shared_ptr<arrow::Int64Array>> AsOfJoin(const AsOfSide& spine,
                                                           const AsOfSide& features,
                                                           const AsOfOptions& options,
                                                           arrow::MemoryPool* pool) {
  if (!pool) pool = arrow::default_memory_pool();
  VIAND_RETURN_NOT_OK(CheckArguments(spine, features, options));
  const int64_t spine_rows = spine.time->length();
  const int64_t feature_rows = features.time->length();
  // The index is built on the smaller side; feature rows of keys that the spine lacks are then
  // never sorted.
  const bool spine_is_smaller = spine_rows < feature_rows;
  const AsOfSide& small = spine_is_smaller ? spine : features;
  const AsOfSide& large = spine_is_smaller ? features : spine;
  VIAND_ASSIGN_OR_RETURN(const KeyIndex index,
                         KeyIndex::Make(small.keys, small.time->length(), {}));
  VIAND_ASSIGN_OR_RETURN(const std::vector<int32_t> found,
                         index.Find(large.keys, large.time->length()));
  const std::vector<int32_t>& spine_groups = spine_is_smaller ? index.groups() : found;
  const std::vector<int32_t>& feature_groups = spine_is_smaller ? found : index.groups();

  std::vector<const arrow::Array*> arrays = {spine.time.get(), features.time.get()};
  if (features.created) arrays.push_back(features.created.get());
  const int64_t tick_ns = CommonTick(arrays);
  if (AllFit({spine.time, features.time, features.created}, tick_ns)) {
    return Search<int64_t>(spine, spine_groups, features, feature_groups, index.size(), options,
                           tick_ns, pool);
  }
  return Search<__int128>(spine, spine_groups, features, feature_groups, index.size(), options,
                          tick_ns, pool);
}

}  // namespace viand::engine
