// As-of join of one feature table to a spine, both in memory: the kernel that reduce fragments run.
//
// For each spine row (keys, t): of the feature rows with equal keys and t - ttl <= ts <= t the one
// with the greatest (ts, created, row). Contract: DESIGN section 4. Oracle: as_of_join_oracle.h.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace viand::engine {

/// One side: columns of equal length. Row order is the tie-break after (ts, created).
struct AsOfSide {
  std::vector<std::shared_ptr<arrow::Array>>
      keys;  ///< any type but float; integers of any width, strings of any layout compare by value
  std::shared_ptr<arrow::Array>
      time;  ///< timestamp of any unit and zone, or date; null never matches
  std::shared_ptr<arrow::Array>
      created;  ///< features only; null pointer: none; a null value sorts first
};

struct AsOfOptions {
  int64_t ttl_us = 0;              ///< 0: no lower bound
  bool created_not_after = false;  ///< also created <= t; a null created is not
  std::vector<int64_t> grid_us;    ///< ascending snapshot times: ts must not be older than the last
                                   ///< grid time <= t; empty: no grid
};

/// Returns for each spine row the index of its feature row, null where nothing matches. Float keys
/// and key types that cannot be compared are kInput, naming both types.
arrow::Result<std::shared_ptr<arrow::Int64Array>> AsOfJoin(const AsOfSide& spine,
                                                           const AsOfSide& features,
                                                           const AsOfOptions& options,
                                                           arrow::MemoryPool* pool = nullptr);

/// Fails (kInput) unless times are times, and created is as long as they are.
arrow::Status CheckAsOfTimes(const AsOfSide& spine, const AsOfSide& features);

}  // namespace viand::engine
