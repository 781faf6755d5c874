// Rows by group: a counting sort that keeps the order of rows within a group.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace viand::engine {

struct KeyRuns {
  std::vector<int64_t> rows;   ///< those of group 0, then of group 1, ...
  std::vector<int64_t> begin;  ///< begin[g]: where group g starts in `rows`; one more at the end

  /// Takes rows i of `group_of_row` that have a group (not negative) and for which keep(i).
  template <typename Keep>
  static KeyRuns Make(const std::vector<int32_t>& group_of_row, int64_t groups, Keep&& keep) {
    KeyRuns out;
    out.begin.assign(groups + 1, 0);
    const auto size = static_cast<int64_t>(group_of_row.size());
    for (int64_t i = 0; i < size; ++i) {
      if (group_of_row[i] >= 0 && keep(i)) ++out.begin[group_of_row[i] + 1];
    }
    for (int64_t group = 0; group < groups; ++group) out.begin[group + 1] += out.begin[group];
    std::vector<int64_t> next(out.begin.begin(), out.begin.end() - 1);
    out.rows.resize(out.begin.back());
    for (int64_t i = 0; i < size; ++i) {
      if (group_of_row[i] >= 0 && keep(i)) out.rows[next[group_of_row[i]]++] = i;
    }
    return out;
  }

  int64_t groups() const { return static_cast<int64_t>(begin.size()) - 1; }
  std::span<int64_t> Run(int64_t group) {
    return {rows.data() + begin[group], rows.data() + begin[group + 1]};
  }
  std::span<const int64_t> Run(int64_t group) const {
    return {rows.data() + begin[group], rows.data() + begin[group + 1]};
  }
};

/// Puts the rows of each group in order of (time, row); `time` is indexed by row.
template <typename Tick>
void SortByTime(const std::vector<Tick>& time, KeyRuns* runs) {
  // Rows start in their own order, so that a stable sort by time leaves (time, row).
  const auto earlier = [&](int64_t a, int64_t b) { return time[a] < time[b]; };
  for (int64_t group = 0; group < runs->groups(); ++group) {
    const auto run = runs->Run(group);
    if (!std::is_sorted(run.begin(), run.end(), earlier))
      std::stable_sort(run.begin(), run.end(), earlier);
  }
}

}  // namespace viand::engine
