#include "src/engine/function_calls.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <random>

#include "src/engine/sorted_events.h"
#include "src/engine/window_spans.h"

namespace viand::engine {
namespace {

using Values = std::vector<std::optional<int64_t>>;

template <typename Builder>
std::shared_ptr<arrow::Array> ArrayOf(const Values& values, Builder builder) {
  for (const auto& value : values)
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Times(const Values& values, const std::string& zone) {
  return ArrayOf(values, arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO, zone),
                                                 arrow::default_memory_pool()));
}

int64_t At(const arrow::Array& array, int64_t row) {
  return static_cast<const arrow::Int64Array&>(array).Value(row);
}

/// Events of some keys, sets of each key at some times, and a function whose calls are checked: it
/// gives the sum of a group's `n`.
class FunctionCallsTest : public ::testing::Test {
 protected:
  void TearDown() override { unsetenv("VIAND_FUNCTION_BATCH_ROWS"); }

  void Make(const Values& keys, const Values& times, const Values& n, const Values& set_times,
            const std::string& zone = "") {
    key_ = keys, time_ = times, n_ = n;
    sets_ = {};
    set_time_.clear();
    arrow::StringBuilder texts;
    for (size_t row = 0; row < n.size(); ++row) EXPECT_TRUE(texts.Append(text_).ok());
    const auto columns = arrow::RecordBatch::Make(
        arrow::schema({arrow::field("n", arrow::int64()), arrow::field("text", arrow::utf8())}),
        static_cast<int64_t>(n.size()),
        {ArrayOf(n, arrow::Int64Builder()), texts.Finish().ValueOrDie()});
    events_ =
        *SortedEvents::Make({columns, {ArrayOf(keys, arrow::Int64Builder())}, Times(times, zone)},
                            arrow::default_memory_pool());
    Values as_of;
    for (int32_t key = 0; key < events_->keys().size(); ++key) {
      for (const auto& time : set_times) {
        set_time_.push_back(*time);
        as_of.push_back(time);
      }
      sets_.begin.push_back(static_cast<int64_t>(as_of.size()));
      sets_.key.push_back(key);
    }
    as_of_ = Times(as_of, "");
  }

  WindowFeature Feature(const TimeWindow& window, const std::string& output = "",
                        std::vector<std::string> columns = {"n"}) {
    return {.name = "f" + output,
            .aggregation = {},
            .window = window,
            .default_value = nullptr,
            .function = std::make_shared<PlannedFunction>(
                PlannedFunction{"m:f", "the code", std::move(columns), output, arrow::int64()})};
  }

  /// A call as the function sees it: what every batch must be.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Sum(const FunctionBatch& batch) {
    ++calls_;
    most_rows_ = std::max(most_rows_, batch.rows->num_rows());
    const auto& groups = static_cast<const arrow::Int32Array&>(*batch.rows->column(0));
    const auto& n = static_cast<const arrow::Int64Array&>(*batch.rows->column(1));
    EXPECT_EQ(batch.rows->schema()->field(0)->name(), "group");
    EXPECT_EQ(
        batch.groups->schema()->ToString(),
        "k: int64\nas_of: " + events_->events().time->type()->ToString() + "\nrows_before: int64");
    std::vector<int64_t> sums(batch.groups->num_rows()), sizes(batch.groups->num_rows());
    for (int64_t row = 0; row < groups.length(); ++row) {
      const int32_t last = row == 0 ? 0 : groups.Value(row - 1);
      EXPECT_TRUE(groups.Value(row) == last || groups.Value(row) == last + 1);
      if (n.IsValid(row)) sums[groups.Value(row)] += n.Value(row);
      ++sizes[groups.Value(row)];
    }
    int64_t before = 0;
    for (size_t group = 0; group < sizes.size(); ++group) {
      EXPECT_GT(sizes[group], 0) << "a group without rows";
      EXPECT_EQ(At(*batch.groups->column(2), static_cast<int64_t>(group)), before);
      before += sizes[group];
    }
    arrow::Int64Builder values;
    EXPECT_TRUE(values.AppendValues(sums).ok());
    const auto column = values.Finish().ValueOrDie();
    return arrow::RecordBatch::Make(
        batch.results, static_cast<int64_t>(sums.size()),
        std::vector<std::shared_ptr<arrow::Array>>(batch.results->num_fields(), column));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(FunctionCalls* calls,
                                                        const WindowFeature& feature) {
    return calls->Evaluate(feature, [&](const TimeWindow& window) {
      return SpansOf(events_->all(), sets_, set_time_, window, {});
    });
  }

  /// The sums as the function gives them.
  Values Called(const TimeWindow& window) {
    const WindowSpec spec{.features = {Feature(window)}, .existence = window, .key_names = {"k"}};
    FunctionCalls calls(events_.get(), spec, sets_, as_of_,
                        [this](const FunctionBatch& batch) { return Sum(batch); });
    const auto values = Evaluate(&calls, spec.features[0]);
    EXPECT_TRUE(values.ok()) << values.status().ToString();
    Values out;
    for (int64_t set = 0; values.ok() && set < (*values)->length(); ++set) {
      out.push_back((*values)->IsNull(set) ? std::nullopt : std::optional(At(**values, set)));
    }
    return out;
  }

  /// The same, set by set over all events.
  Values Naive(const TimeWindow& window) const {
    Values out;
    for (int64_t key = 0; key < sets_.segments(); ++key) {
      const auto value = key_[events_->keys().first_rows()[key]];
      for (int64_t set = sets_.begin[key]; set < sets_.begin[key + 1]; ++set) {
        std::optional<int64_t> sum;
        for (size_t row = 0; row < n_.size(); ++row) {
          if (key_[row] != value || !time_[row] || *time_[row] >= set_time_[set]) continue;
          if (!window.unbounded && *time_[row] < set_time_[set] - window.length_us) continue;
          sum = sum.value_or(0) + n_[row].value_or(0);
        }
        out.push_back(sum);
      }
    }
    return out;
  }

  std::string text_ = "t";
  Values key_, time_, n_;
  std::unique_ptr<SortedEvents> events_;
  Sets sets_;
  PoolVector<int64_t> set_time_;
  std::shared_ptr<arrow::Array> as_of_;
  int64_t calls_ = 0, most_rows_ = 0;
};

TEST_F(FunctionCallsTest, EveryBatchSizeGivesTheSame) {
  std::mt19937_64 random(7);
  const auto some = [&](int64_t most, int nulls_in) {
    return random() % nulls_in == 0 ? std::nullopt : std::optional<int64_t>(random() % most);
  };
  Values keys, times, n;
  for (int row = 0; row < 400; ++row) {
    keys.push_back(some(20, 30));
    times.push_back(some(100, 30));
    n.push_back(some(1000, 10));
  }
  Make(keys, times, n, {{1}, {10}, {50}, {51}, {200}}, "UTC");
  for (const TimeWindow& window :
       {TimeWindow{.length_us = 20}, TimeWindow{.unbounded = true}, TimeWindow{.length_us = 0}}) {
    const Values expected = Naive(window);
    for (const char* rows : {"1", "2", "3", "7", "50", "1000000", ""}) {
      setenv("VIAND_FUNCTION_BATCH_ROWS", rows, 1);
      most_rows_ = 0;
      EXPECT_EQ(Called(window), expected) << "at most " << rows << " rows a call";
      if (std::atoi(rows) >= 50) EXPECT_LE(most_rows_, std::atoi(rows));
    }
  }
}

TEST_F(FunctionCallsTest, WhatHasNoRowsIsNotCalled) {
  Make({{1}, {2}, {1}}, {{10}, {20}, std::nullopt}, {{5}, {6}, {7}}, {{5}, {10}});
  EXPECT_EQ(Called({.length_us = 3}),
            (Values{std::nullopt, std::nullopt, std::nullopt, std::nullopt}));
  EXPECT_EQ(calls_, 0);
  Make({}, {}, {}, {{5}});
  EXPECT_EQ(Called({.unbounded = true}), Values{});
  EXPECT_EQ(calls_, 0);
}

TEST_F(FunctionCallsTest, AGroupIsNeverCut) {
  Make({{1}, {2}, {1}, {1}, {3}}, {{1}, {1}, {2}, {3}, {1}}, {{1}, {10}, {2}, {4}, {100}}, {{9}});
  setenv("VIAND_FUNCTION_BATCH_ROWS", "2", 1);
  EXPECT_EQ(Called({.unbounded = true}), (Values{7, 10, 100}));
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(most_rows_, 3);
}

TEST_F(FunctionCallsTest, LongTextsMakeSmallCalls) {
  text_ = std::string(1 << 18, 'x');
  Values keys, times, n;
  for (int64_t row = 0; row < 150; ++row) {
    keys.push_back(row);
    times.push_back(0);
    n.push_back(row);
  }
  Make(keys, times, n, {{1}});
  const WindowSpec spec{.features = {Feature({.unbounded = true}, "", {"n", "text"})},
                        .existence = {.unbounded = true},
                        .key_names = {"k"}};
  FunctionCalls calls(events_.get(), spec, sets_, as_of_,
                      [this](const FunctionBatch& batch) { return Sum(batch); });
  ASSERT_TRUE(Evaluate(&calls, spec.features[0]).ok());
  EXPECT_LE(most_rows_, 128);
  EXPECT_GE(most_rows_, 64);
}

TEST_F(FunctionCallsTest, ResultsOfOneCallAreComputedTogether) {
  Make({{1}, {2}}, {{1}, {1}}, {{3}, {4}}, {{9}});
  const WindowSpec spec{
      .features = {Feature({.unbounded = true}, "a"), Feature({.unbounded = true}, "b"),
                   Feature({.length_us = 1}, "a"),
                   Feature({.unbounded = true}, "a", {"n", "text"})},
      .existence = {.unbounded = true},
      .key_names = {"k"}};
  FunctionCalls calls(events_.get(), spec, sets_, as_of_,
                      [this](const FunctionBatch& batch) { return Sum(batch); });
  std::vector<int64_t> made;
  for (const WindowFeature& feature : spec.features) {
    ASSERT_TRUE(Evaluate(&calls, feature).ok());
    made.push_back(calls_);
  }
  // The third has a window of its own, without rows; the fourth takes other columns.
  EXPECT_EQ(made, (std::vector<int64_t>{1, 1, 1, 2}));
}

TEST_F(FunctionCallsTest, AnErrorOfACallEndsIt) {
  Make({{1}, {2}}, {{1}, {1}}, {{3}, {4}}, {{9}});
  const WindowSpec spec{
      .features = {Feature({.unbounded = true}), Feature({.unbounded = true}, "", {"x"})},
      .existence = {.unbounded = true},
      .key_names = {"k"}};
  setenv("VIAND_FUNCTION_BATCH_ROWS", "1", 1);
  FunctionCalls calls(events_.get(), spec, sets_, as_of_, [this](const FunctionBatch&) {
    ++calls_;
    return arrow::Status::Invalid("no");
  });
  EXPECT_EQ(Evaluate(&calls, spec.features[0]).status().message(), "no");
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(Evaluate(&calls, spec.features[1]).status().message(), "unknown column \"x\"");
}

}  // namespace
}  // namespace viand::engine
