// Rows cut by time instead of by key: for a key that has too many rows for one fragment.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class MemoryPool;
class RecordBatch;
}  // namespace arrow

namespace viand::engine {

/// Slice 0 has the times before starts_us[0], slice s those from starts_us[s - 1] on up to the
/// next. A null time is in slice 0.
struct TimeSlices {
  std::vector<int64_t> starts_us;  ///< ascending; empty: rows are dealt out by key

  int count() const { return static_cast<int>(starts_us.size()) + 1; }
  bool operator==(const TimeSlices&) const = default;
};

/// The microsecond that a time is in; times beyond those of 64 bits are at their ends.
int64_t MicrosecondIn(int64_t time, int64_t unit_ns);

/// Returns one batch a slice, in the order of the rows; null where a slice gets no row. Rows with
/// keep[i] = 0 are in none. `time` is of a time type.
arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> SliceRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Array>& time,
    const std::vector<uint8_t>& keep, const TimeSlices& slices, arrow::MemoryPool* pool);

}  // namespace viand::engine
