#include "src/engine/time_range.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "src/common/time.h"
#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

std::shared_ptr<arrow::Array> Make(const std::shared_ptr<arrow::DataType>& type,
                                   const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

TimeRange Of(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return RangeOf(arrow::ChunkedArray(Make(type, json)));
}

TEST(TimeRange, RoundsOutwardToMicroseconds) {
  EXPECT_EQ(Of(arrow::timestamp(arrow::TimeUnit::NANO), "[1, null, -1]"), (TimeRange{-1, 1}));
  EXPECT_EQ(Of(arrow::timestamp(arrow::TimeUnit::SECOND), "[2, 1]"),
            (TimeRange{1'000'000, 2'000'000}));
  EXPECT_EQ(Of(arrow::date32(), "[1]"), (TimeRange{kMicrosPerDay, kMicrosPerDay}));
  EXPECT_TRUE(Of(arrow::date32(), "[null]").IsEmpty());
}

TEST(TimeRange, SaturatesBeyondInt64) {
  const auto range = Of(arrow::timestamp(arrow::TimeUnit::SECOND), "[9223372036854775807]");
  EXPECT_EQ(range.max_us, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Shifted(std::numeric_limits<int64_t>::min(), -1), std::numeric_limits<int64_t>::min());
}

TEST(TimeRange, RawValuesOfTimesBeyondMicrosecondsAreInReach) {
  const auto milli = arrow::timestamp(arrow::TimeUnit::MILLI);
  constexpr auto kLeast = std::numeric_limits<int64_t>::min();
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  const auto range = Of(milli, "[-9223372036854775808, 9223372036854775807]");
  EXPECT_EQ(RawRange(*milli, range), std::pair(kLeast, kMost));
  EXPECT_EQ(RawRange(*milli, {.min_us = kLeast + 1, .max_us = kMost - 1}),
            std::pair(int64_t{-9223372036854776}, int64_t{9223372036854775}));
}

TEST(TimeRange, ClearsRowsOutsideAndNulls) {
  std::vector<uint8_t> keep(5, 1);
  keep[1] = 0;
  ClearOutside(*Make(arrow::timestamp(arrow::TimeUnit::MILLI), "[1, 2, 3, 4, null]"),
               {.min_us = 2000, .max_us = 3000}, &keep);
  EXPECT_EQ(keep, (std::vector<uint8_t>{0, 0, 1, 0, 0}));
}

TEST(TimeRange, WindowsReachBackAndLabelsForward) {
  WindowView view;
  view.existence = {.length_us = 10};
  view.features = {{"f", "", {.length_us = 30}, ""},
                   {"g", "", {.following = true, .length_us = 5}, ""}};
  EXPECT_EQ(ReachOf(view, {.min_us = 100, .max_us = 200}), (TimeRange{70, 205}));
  view.features[0].window = {.unbounded = true};
  EXPECT_EQ(ReachOf(view, {.min_us = 100, .max_us = 200}), (TimeRange{std::nullopt, 205}));
  EXPECT_TRUE(ReachOf(view, NoTimes()).IsEmpty());
}

TEST(TimeRange, LookupsReachBackByTtlAndGrid) {
  AsOfView view;
  EXPECT_EQ(ReachOf(view, {.min_us = 100, .max_us = 200}), (TimeRange{std::nullopt, 200}));
  view.ttl_us = 50;
  EXPECT_EQ(ReachOf(view, {.min_us = 100, .max_us = 200}), (TimeRange{50, 200}));
  view.grid_us = {20, 80, 150};
  EXPECT_EQ(ReachOf(view, {.min_us = 100, .max_us = 200}), (TimeRange{80, 200}));
}

}  // namespace
}  // namespace viand::engine
