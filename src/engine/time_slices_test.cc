#include "src/engine/time_slices.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <random>

#include "src/common/test_rounds.h"

namespace viand::engine {
namespace {

using Rows = std::vector<int64_t>;

/// Which rows each slice has, by the first column: row numbers.
std::vector<Rows> Sliced(const std::vector<std::optional<int64_t>>& times,
                         arrow::TimeUnit::type unit, const std::vector<uint8_t>& keep,
                         const TimeSlices& slices) {
  arrow::Int64Builder rows;
  arrow::TimestampBuilder time(arrow::timestamp(unit), arrow::default_memory_pool());
  for (size_t row = 0; row < times.size(); ++row) {
    EXPECT_TRUE(rows.Append(static_cast<int64_t>(row)).ok());
    EXPECT_TRUE((times[row] ? time.Append(*times[row]) : time.AppendNull()).ok());
  }
  const auto time_column = time.Finish().ValueOrDie();
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("row", arrow::int64())}),
                                              time_column->length(),
                                              arrow::ArrayVector{rows.Finish().ValueOrDie()});
  const auto found =
      SliceRows(batch, time_column, keep, slices, arrow::default_memory_pool()).ValueOrDie();
  std::vector<Rows> out;
  for (const auto& slice : found) {
    Rows& of_slice = out.emplace_back();
    for (int64_t i = 0; slice != nullptr && i < slice->num_rows(); ++i)
      of_slice.push_back(static_cast<const arrow::Int64Array&>(*slice->column(0)).Value(i));
  }
  return out;
}

TEST(TimeSlices, ASetIsInOneSliceAndNullInTheFirst) {
  EXPECT_EQ(Sliced({5, 9, 10, std::nullopt, 25}, arrow::TimeUnit::MICRO, {1, 1, 1, 1, 1},
                   {.starts_us = {10, 20}}),
            (std::vector<Rows>{{0, 1, 3}, {2}, {4}}));
}

TEST(TimeSlices, TimesBeyondMicrosecondsAreAtTheEnds) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Sliced({most, -most}, arrow::TimeUnit::SECOND, {1, 1}, {.starts_us = {0, most}}),
            (std::vector<Rows>{{1}, {}, {0}}));
}

// The oracle: one slice, by counting the starts that are not after the time.
TEST(TimeSlices, EqualsTheOracle) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < TestRounds(200); ++trial) {
    const auto below = [&](int64_t end) { return static_cast<int64_t>(random() % end); };
    TimeSlices slices;
    for (int64_t i = below(6) + 1; i > 0; --i) slices.starts_us.push_back(below(40) - 20);
    std::sort(slices.starts_us.begin(), slices.starts_us.end());
    const bool nanoseconds = below(2) == 0;
    std::vector<std::optional<int64_t>> times;
    std::vector<uint8_t> keep;
    std::vector<Rows> expected(slices.count());
    for (int64_t row = 0; row < below(30); ++row) {
      const int64_t us = below(60) - 30;
      times.emplace_back(nanoseconds ? us * 1000 + below(1000) : us);
      keep.push_back(below(5) > 0);
      const auto slice = std::count_if(slices.starts_us.begin(), slices.starts_us.end(),
                                       [&](int64_t start) { return start <= us; });
      if (keep.back()) expected[slice].push_back(row);
    }
    const auto unit = nanoseconds ? arrow::TimeUnit::NANO : arrow::TimeUnit::MICRO;
    ASSERT_EQ(Sliced(times, unit, keep, slices), expected) << trial;
  }
}

}  // namespace
}  // namespace viand::engine
