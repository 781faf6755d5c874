// The span of time that a plan can reach: which rows of a source can matter at all, known before it
// is read.
//
//   TimeRange range = ...;                                    // spine times less ttl, or cutoffs
//   less windows VIAND_RETURN_NOT_OK(ClearOutside(*batch_times, range, &keep));   // exact, row by
//   row RangeFilter("ts", *type, range)                           // for row groups, by their
//   statistics
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class ChunkedArray;
class DataType;
namespace compute {
class Expression;
}
}  // namespace arrow

namespace viand::engine {

/// Times from min to max, both included, in microseconds; a bound that is absent does not bind. A
/// range that binds excludes null times.
struct TimeRange {
  std::optional<int64_t> min_us;
  std::optional<int64_t> max_us;

  bool Binds() const { return min_us.has_value() || max_us.has_value(); }
  bool IsEmpty() const { return min_us && max_us && *min_us > *max_us; }
  bool operator==(const TimeRange&) const = default;
};

/// The range that holds no time.
inline TimeRange NoTimes() { return {.min_us = 1, .max_us = 0}; }

/// The least range that holds both.
TimeRange Hull(const TimeRange& a, const TimeRange& b);

/// Tells whether a type is one of time: a timestamp of any unit and zone, or a date.
bool IsTimeType(const arrow::DataType& type);

/// Returns the least and greatest time, rounded outward to microseconds; NoTimes() where all are
/// null. `times` is of a time type.
TimeRange RangeOf(const arrow::ChunkedArray& times);

/// Moves a bound by a duration; beyond int64 it stays at the end of int64.
int64_t Shifted(int64_t time_us, int64_t by_us);

/// Sets keep[i] to 0 where the time of row i is null or outside of the range. A fraction of a
/// microsecond after the end still counts as inside, so that no row which can matter is lost.
void ClearOutside(const arrow::Array& times, const TimeRange& range, std::vector<uint8_t>* keep);

/// Returns the range in raw values of a time type, outward; both ends included. Null times aside,
/// every row inside the range is inside these.
std::pair<int64_t, int64_t> RawRange(const arrow::DataType& type, const TimeRange& range);

/// Returns an Arrow predicate that every row inside the range passes.
arrow::compute::Expression RangeFilter(const std::string& column,
                                       const std::shared_ptr<arrow::DataType>& type,
                                       const TimeRange& range);

}  // namespace viand::engine
