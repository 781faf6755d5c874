// What tests of window aggregates share: every aggregate over random events, and the oracle's rows.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "src/engine/sorted_events.h"
#include "src/engine/window_oracle.h"
#include "src/expression/aggregation.h"
#include "src/expression/binder.h"
#include "src/expression/value.h"

namespace viand::engine::window_fixture {

using Column = std::shared_ptr<arrow::Array>;
using expression::Aggregation;

inline const auto kMicros = arrow::timestamp(arrow::TimeUnit::MICRO);

inline std::shared_ptr<arrow::Schema> EventSchema() {
  return arrow::schema({arrow::field("at", kMicros), arrow::field("n", arrow::int64()),
                        arrow::field("x", arrow::float64()), arrow::field("s", arrow::utf8()),
                        arrow::field("b", arrow::boolean())});
}

inline Aggregation Parse(const std::string& text,
                         const std::shared_ptr<arrow::Schema>& schema = EventSchema()) {
  auto bound =
      expression::ParseAndBind(text, {.columns = schema, .aggregates = true, .as_of = true});
  EXPECT_TRUE(bound.ok()) << text << ": " << bound.status().message();
  if (!bound.ok()) return {};
  return *expression::SplitAggregates(*bound);
}

inline const char* const kFeatures[] = {"count(*)",
                                        "count(n)",
                                        "count(* where b)",
                                        "count(distinct n)",
                                        "count(distinct s)",
                                        "count(distinct x)",
                                        "count(distinct b where n > 0)",
                                        "approx_count_distinct(s)",
                                        "approx_count_distinct(x)",
                                        "approx_count_distinct(n)",
                                        "sum(n)",
                                        "sum(x)",
                                        "sum(x where not b)",
                                        "avg(n)",
                                        "avg(x)",
                                        "avg(x * 1e200)",
                                        "sum(x * x * 1e-160)",
                                        "min(n)",
                                        "max(n)",
                                        "min(x)",
                                        "max(x)",
                                        "min(s)",
                                        "max(s where b)",
                                        "min(at)",
                                        "max(b)",
                                        "first(s)",
                                        "last(s)",
                                        "first(x where b)",
                                        "last(n)",
                                        "first(s order by n)",
                                        "last(s order by n)",
                                        "last(x where b order by s)",
                                        "first(n order by x desc)",
                                        "stddev(n)",
                                        "stddev(x)",
                                        "var(n)",
                                        "var(x)",
                                        "median(n)",
                                        "median(x)",
                                        "quantile(x, 0.3)",
                                        "quantile(n, 0.9 where b)",
                                        "any(b)",
                                        "all(b)",
                                        "any(n > 3)",
                                        "mode(n)",
                                        "mode(s)",
                                        "mode(x)",
                                        "last_n(n, 3)",
                                        "last_n(s, 2 order by x)",
                                        "last_n(s, 2 where b)",
                                        "avg(days(gap(at)))",
                                        "max(gap(n))",
                                        "sum(gap(n) where b)",
                                        "first(gap(n))",
                                        "last(gap(n))",
                                        "median(gap(x))",
                                        "count(gap(at))",
                                        "avg(sum(x) per s)",
                                        "sum(sum(n) per s where b)",
                                        "max(count(*) per s)",
                                        "count(count(*) per s, n)",
                                        "avg(sum(n) + max(x) per s)",
                                        "avg(cast(first(b) as double) per s)",
                                        "min(min(s) per n)",
                                        "mode(last(n) per s)",
                                        "median(sum(x) per n)",
                                        "first(sum(n) per s)",
                                        "last(sum(n) per s where b)",
                                        "last_n(count(*), 2 per s)",
                                        "count(distinct max(n) per s)",
                                        "stddev(avg(x) per s)",
                                        "avg(gap(first(n) per s))",
                                        "max(gap(first(at) per s where b))",
                                        "any(any(b) per s)",
                                        "sum(count(distinct n) per s)",
                                        "avg(sum(n) per x)",
                                        "approx_count_distinct(first(s) per n)",
                                        "max(max(gap(n)) per s)",
                                        "sum(count(* where b) per s)"};

class RandomCase {
 public:
  explicit RandomCase(uint64_t seed) : bits_(seed) {}

  int64_t Below(int64_t n) { return static_cast<int64_t>(bits_() % n); }

  template <typename Builder, typename Next>
  Column Make(int64_t rows, Builder builder, Next&& next, int nulls_in_ten = 1) {
    for (int64_t i = 0; i < rows; ++i) {
      EXPECT_TRUE((Below(10) < nulls_in_ten ? builder.AppendNull() : builder.Append(next())).ok());
    }
    return *builder.Finish();
  }
  Column Times(int64_t rows) {
    return Make(rows, arrow::TimestampBuilder(kMicros, arrow::default_memory_pool()),
                [&] { return Below(40) * 21600000000; });
  }
  Column Keys(int64_t rows) {
    return Make(rows, arrow::Int64Builder(), [&] { return Below(3); });
  }
  double Number() {
    switch (Below(12)) {
      case 0:
        return -0.0;
      case 1:
        return 0.0;
      case 2:
        return Below(20) ? 7.25 : std::nan("");
      case 3:
        return Below(40) ? 1e-3 : std::numeric_limits<double>::infinity();
      default:
        return static_cast<double>(Below(2001) - 1000) / 100;
    }
  }
  EventRows Events(int64_t rows) {
    const Column time = Times(rows);
    return {arrow::RecordBatch::Make(
                EventSchema(), rows,
                {time, Make(rows, arrow::Int64Builder(), [&] { return Below(9) - 3; }),
                 Make(rows, arrow::DoubleBuilder(), [&] { return Number(); }),
                 Make(rows, arrow::StringBuilder(),
                      [&] { return std::string(1 + Below(2), static_cast<char>('a' + Below(3))); }),
                 Make(rows, arrow::BooleanBuilder(), [&] { return Below(3) > 0; })}),
            {Keys(rows)},
            time};
  }
  TimeWindow Window() {
    const int64_t length = (1 + Below(60)) * 10800000000;
    const int64_t kind = Below(4);
    return {.unbounded = kind == 0, .following = kind == 1, .length_us = length};
  }

 private:
  std::mt19937_64 bits_;
};

inline Row ReadRow(const arrow::RecordBatch& batch, int64_t row) {
  Row out;
  for (const Column& column : batch.columns()) out.push_back(*expression::ValueAt(*column, row));
  return out;
}

// The rows of a key in a window, by (time, position).
inline Rows RowsIn(const EventRows& events, const Value& key, int64_t t, const TimeWindow& window) {
  const auto& times = static_cast<const arrow::TimestampArray&>(*events.time);
  std::vector<int64_t> found;
  for (int64_t i = 0; i < times.length(); ++i) {
    if (times.IsValid(i) && events.keys[0]->IsValid(i) &&
        *expression::ValueAt(*events.keys[0], i) == key && InWindow(times.Value(i), t, window)) {
      found.push_back(i);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [&](int64_t a, int64_t b) { return times.Value(a) < times.Value(b); });
  Rows rows;
  for (const int64_t i : found) rows.push_back(ReadRow(*events.columns, i));
  return rows;
}

inline std::string Text(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isnan(*number)
               ? "NaN"
               : std::to_string(*number) + "#" + std::to_string(std::bit_cast<uint64_t>(*number));
  }
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  return "null";
}

inline std::string Text(const Row& row) {
  std::string out;
  for (const Value& value : row) out += Text(value) + " ";
  return out.empty() ? "null " : out;
}

inline std::string TextAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return "null ";
  if (array.type_id() != arrow::Type::LIST) return Text(*expression::ValueAt(array, row)) + " ";
  const Column values = static_cast<const arrow::ListArray&>(array).value_slice(row);
  Row out;
  for (int64_t i = 0; i < values->length(); ++i) out.push_back(*expression::ValueAt(*values, i));
  return Text(out);
}

}  // namespace viand::engine::window_fixture
