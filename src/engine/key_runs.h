// Rows by group and, in a group, by (time, row).
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "src/common/pool_vector.h"

namespace viand::engine {

struct KeyRuns {
  PoolVector<int32_t> begin =
      PoolVector<int32_t>(1, 0);  ///< begin[g]: where group g starts; one more at the end
  PoolVector<int32_t> rows;       ///< row at each position
  PoolVector<int64_t> time;       ///< of each position
  bool in_order = true;           ///< rows are 0, 1, 2, ...

  int64_t groups() const { return static_cast<int64_t>(begin.size()) - 1; }

  /// Takes rows that have a group (not negative) and for which keep(row). `time` is indexed by row.
  template <typename Keep>
  static KeyRuns Make(const PoolVector<int32_t>& group_of_row, int64_t groups, const int64_t* time,
                      Keep&& keep) {
    KeyRuns out;
    out.DealOut(group_of_row, groups, time, keep);
    out.SortGroups();
    for (size_t i = 0; out.in_order && i < out.rows.size(); ++i)
      out.in_order = out.rows[i] == static_cast<int32_t>(i);
    return out;
  }

 private:
  /// A counting sort, which leaves the rows of a group in their own order.
  template <typename Keep>
  void DealOut(const PoolVector<int32_t>& group_of_row, int64_t groups, const int64_t* row_time,
               Keep&& keep) {
    begin.assign(groups + 1, 0);
    const auto size = static_cast<int32_t>(group_of_row.size());
    for (int32_t row = 0; row < size; ++row) {
      if (group_of_row[row] >= 0 && keep(row)) ++begin[group_of_row[row] + 1];
    }
    for (int64_t group = 0; group < groups; ++group) begin[group + 1] += begin[group];
    PoolVector<int32_t> next(begin.begin(), begin.end() - 1);
    rows.resize(begin.back());
    time.resize(begin.back());
    for (int32_t row = 0; row < size; ++row) {
      if (group_of_row[row] < 0 || !keep(row)) continue;
      const int32_t at = next[group_of_row[row]]++;
      rows[at] = row;
      time[at] = row_time[row];
    }
  }

  void SortGroups() {
    PoolVector<std::pair<int64_t, int32_t>> run;
    for (int64_t group = 0; group < groups(); ++group) {
      const int32_t first = begin[group], last = begin[group + 1];
      if (std::is_sorted(time.begin() + first, time.begin() + last)) continue;
      run.clear();
      for (int32_t at = first; at < last; ++at) run.emplace_back(time[at], rows[at]);
      std::sort(run.begin(), run.end());
      for (int32_t at = first; at < last; ++at)
        std::tie(time[at], rows[at]) = run[static_cast<size_t>(at - first)];
    }
  }
};

}  // namespace viand::engine
