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
/// next. A row goes to every slice with a time that it matters to: from ahead_us before the row's
/// time to back_us after it. A null time is in slice 0.
struct TimeSlices {
  std::vector<int64_t> starts_us;  ///< ascending; empty: rows are dealt out by key
  int64_t back_us = 0;             ///< int64's greatest: to all times after it
  int64_t ahead_us = 0;

  int count() const { return static_cast<int>(starts_us.size()) + 1; }
  bool operator==(const TimeSlices&) const = default;
};

/// Returns one batch a slice, in the order of the rows; null where a slice gets no row. Rows with
/// keep[i] = 0 are in none. `time` is of a time type.
arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> SliceRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Array>& time,
    const std::vector<uint8_t>& keep, const TimeSlices& slices, arrow::MemoryPool* pool);

}  // namespace viand::engine
