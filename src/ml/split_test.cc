#include "src/ml/split.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/chunked_array.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <random>

#include "src/common/time.h"

namespace viand::ml {
namespace {

using definition::Split;
using Rows = std::vector<int64_t>;

std::shared_ptr<arrow::ChunkedArray> Times(const std::vector<std::optional<int64_t>>& values,
                                           arrow::TimeUnit::type unit = arrow::TimeUnit::MICRO,
                                           size_t chunk_rows = 3) {
  const auto type = arrow::timestamp(unit, "UTC");
  arrow::ArrayVector chunks;
  for (size_t begin = 0; begin < values.size(); begin += chunk_rows) {
    arrow::TimestampBuilder builder(type, arrow::default_memory_pool());
    for (size_t i = begin; i < std::min(values.size(), begin + chunk_rows); ++i) {
      EXPECT_TRUE(builder.AppendOrNull(values[i]).ok());
    }
    chunks.push_back(builder.Finish().ValueOrDie());
  }
  return std::make_shared<arrow::ChunkedArray>(chunks, type);
}

Split After(int64_t after_us) {
  Split split;
  split.kind = Split::Kind::kAfter;
  split.after_us = after_us;
  return split;
}

Split Fraction(double fraction) {
  Split split;
  split.kind = Split::Kind::kFraction;
  split.fraction = fraction;
  return split;
}

std::string ErrorOf(const arrow::ChunkedArray& times, const Split& split) {
  return SplitRows(times, split, "event_timestamp").status().message();
}

TEST(SplitRows, LastSnapshotTakesTheGreatestTimeInTableOrder) {
  const auto times = Times({5, 9, 1, 9, 5, 9, 2});
  const RowSplit rows = SplitRows(*times, Split(), "t").ValueOrDie();
  EXPECT_EQ(rows.test, (Rows{1, 3, 5}));
  EXPECT_EQ(rows.train, (Rows{0, 2, 4, 6}));
}

TEST(SplitRows, AfterIsStrictInEveryUnit) {
  const int64_t day = kMicrosPerDay;
  for (const auto& [unit, per_day] : std::vector<std::pair<arrow::TimeUnit::type, int64_t>>{
           {arrow::TimeUnit::SECOND, day / 1'000'000},
           {arrow::TimeUnit::MILLI, day / 1'000},
           {arrow::TimeUnit::MICRO, day},
           {arrow::TimeUnit::NANO, day * 1'000}}) {
    const auto times = Times({per_day, per_day + 1, per_day - 1, 2 * per_day}, unit);
    const RowSplit rows = SplitRows(*times, After(day), "t").ValueOrDie();
    EXPECT_EQ(rows.test, (Rows{1, 3}));
    EXPECT_EQ(rows.train, (Rows{0, 2}));
  }
}

TEST(SplitRows, AfterDoesNotOverflowAcrossUnits) {
  const auto times = Times({INT64_MAX / 2, -INT64_MAX / 2}, arrow::TimeUnit::SECOND);
  const RowSplit rows = SplitRows(*times, After(0), "t").ValueOrDie();
  EXPECT_EQ(rows.test, Rows{0});
  EXPECT_EQ(rows.train, Rows{1});
}

TEST(SplitRows, DatesAreTimes) {
  arrow::Date32Builder builder;
  ASSERT_TRUE(builder.AppendValues(std::vector<int32_t>{10, 11, 12}).ok());
  const arrow::ChunkedArray times(builder.Finish().ValueOrDie());
  EXPECT_EQ(SplitRows(times, After(11 * kMicrosPerDay), "d").ValueOrDie().test, Rows{2});
}

TEST(SplitRows, FractionKeepsEqualTimesTogetherOnTheTestSide) {
  const auto times = Times({4, 1, 3, 3, 3, 2});
  EXPECT_EQ(SplitRows(*times, Fraction(0.1), "t").ValueOrDie().test, Rows{0});
  EXPECT_EQ(SplitRows(*times, Fraction(0.3), "t").ValueOrDie().test, (Rows{0, 2, 3, 4}));
  EXPECT_EQ(SplitRows(*times, Fraction(0.7), "t").ValueOrDie().test, (Rows{0, 2, 3, 4}));
}

TEST(SplitRows, EveryRowIsOnOneSideAndTestIsLater) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::optional<int64_t>> values;
    const size_t count = 2 + random() % 30;
    for (size_t i = 0; i < count; ++i) values.push_back(random() % 8);
    const auto split = Fraction((1 + random() % 98) / 100.0);
    const auto result =
        SplitRows(*Times(values, arrow::TimeUnit::MICRO, 1 + random() % 5), split, "t");
    if (!result.ok()) continue;  // one time for all rows
    EXPECT_EQ(result->train.size() + result->test.size(), count);
    for (const int64_t train : result->train) {
      for (const int64_t test : result->test) EXPECT_LT(*values[train], *values[test]);
    }
    EXPECT_GE(result->test.size() + 0.5, split.fraction * static_cast<double>(count));
  }
}

TEST(SplitRows, Errors) {
  const int64_t day = kMicrosPerDay;
  EXPECT_EQ(ErrorOf(*Times({day, day}), Split()),
            "the split (test: last_snapshot) leaves no row to train on: the 2 rows have "
            "\"event_timestamp\" from 1970-01-02 00:00:00 to 1970-01-02 00:00:00");
  EXPECT_EQ(ErrorOf(*Times({0, day}), After(day)),
            "the split (test: after 1970-01-02 00:00:00) leaves no row to test on: the 2 rows have "
            "\"event_timestamp\" from 1970-01-01 00:00:00 to 1970-01-02 00:00:00");
  EXPECT_EQ(ErrorOf(*Times({0, 0}), Fraction(0.2)),
            "the split (test: the latest 0.2 by time) leaves no row to train on: the 2 rows have "
            "\"event_timestamp\" from 1970-01-01 00:00:00 to 1970-01-01 00:00:00");
  EXPECT_EQ(ErrorOf(*Times({0, 1}), Fraction(1.5)),
            "the split's fraction is 1.5: expected a number between 0 and 1");
  EXPECT_EQ(ErrorOf(*Times({0, 1, 2, 3, std::nullopt}), Split()),
            "column \"event_timestamp\" is null in row 5: expected a time");
  EXPECT_EQ(ErrorOf(*Times({}), Split()), "the training set has no rows");
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.Append(1).ok());
  EXPECT_EQ(ErrorOf(arrow::ChunkedArray(builder.Finish().ValueOrDie()), Split()),
            "column \"event_timestamp\" has the type int64: expected a timestamp");
}

}  // namespace
}  // namespace viand::ml
