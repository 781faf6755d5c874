#include "src/engine/window_aggregate.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <numeric>
#include <random>

#include "src/common/test_rounds.h"
#include "src/engine/coded_array.h"
#include "src/engine/window_oracle.h"
#include "src/expression/binder.h"
#include "src/expression/value.h"

namespace viand::engine {
namespace {

using Column = std::shared_ptr<arrow::Array>;
using expression::Aggregation;

const auto kMicros = arrow::timestamp(arrow::TimeUnit::MICRO);

Column Json(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return *arrow::json::ArrayFromJSONString(type, json);
}

std::shared_ptr<arrow::Schema> EventSchema() {
  return arrow::schema({arrow::field("at", kMicros), arrow::field("n", arrow::int64()),
                        arrow::field("x", arrow::float64()), arrow::field("s", arrow::utf8()),
                        arrow::field("b", arrow::boolean())});
}

Aggregation Parse(const std::string& text,
                  const std::shared_ptr<arrow::Schema>& schema = EventSchema()) {
  auto bound =
      expression::ParseAndBind(text, {.columns = schema, .aggregates = true, .as_of = true});
  EXPECT_TRUE(bound.ok()) << text << ": " << bound.status().message();
  if (!bound.ok()) return {};
  return *expression::SplitAggregates(*bound);
}

// Times are the column "at", the key is "n" modulo nothing: its own column.
EventRows Events(const Column& key, const std::string& at, const std::string& n,
                 const std::string& x, const std::string& s, const std::string& b) {
  const Column time = Json(kMicros, at);
  return {arrow::RecordBatch::Make(EventSchema(), time->length(),
                                   {time, Json(arrow::int64(), n), Json(arrow::float64(), x),
                                    Json(arrow::utf8(), s), Json(arrow::boolean(), b)}),
          {key},
          time};
}

EventRows SomeEvents() {
  return Events(Json(arrow::int64(), "[1, 2, 1, 1, null, 2]"), "[10, 10, 20, 30, 10, null]",
                "[1, 2, 3, null, 5, 6]", "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]",
                R"(["a", "b", "a", "c", "d", "e"])", "[true, false, null, false, true, true]");
}

WindowFeature Feature(const std::string& expr, TimeWindow window = {.length_us = 100}) {
  return {"f", Parse(expr), window, nullptr};
}

std::string Shown(const arrow::Result<std::shared_ptr<arrow::RecordBatch>>& batch) {
  if (!batch.ok()) return batch.status().message();
  std::string out;
  for (int64_t row = 0; row < (*batch)->num_rows(); ++row) {
    if (row) out += " | ";
    for (int i = 0; i < (*batch)->num_columns(); ++i) {
      const auto& column = *(*batch)->column(i);
      const bool time = column.type_id() == arrow::Type::TIMESTAMP;
      const auto scalar =
          *(time ? *column.View(arrow::int64()) : (*batch)->column(i))->GetScalar(row);
      out += (i ? " " : "") + scalar->ToString();
    }
  }
  return out;
}

TEST(WindowAggregate, AGridHasTheRowsThatExist) {
  const WindowSpec spec{.features = {Feature("count(*)"), Feature("sum(n)", {.unbounded = true})},
                        .existence = {.length_us = 10}};
  EXPECT_EQ(Shown(AggregateAtGrid(SomeEvents(), {"k"}, {10, 11, 20, 21, 40, 41}, spec)),
            "1 11 1 1 | 2 11 1 2 | 1 20 1 1 | 2 20 1 2 | 1 21 2 4 | 1 40 3 4");
}

TEST(WindowAggregate, HavingAndDefaults) {
  WindowFeature feature = Feature("max(x where b)");
  feature.default_value = arrow::MakeScalar(-1.0);
  const WindowSpec spec{
      .features = {feature}, .existence = {.unbounded = true}, .having = Parse("count(n) > 1")};
  EXPECT_EQ(Shown(AggregateAtGrid(SomeEvents(), {"k"}, {20, 30, 200}, spec)),
            "1 30 0.1 | 1 200 -1");
}

TEST(WindowAggregate, ASpineKeepsItsRowsAndOrder) {
  const Column keys = Json(arrow::int32(), "[2, 1, 7, null, 1, 1]");
  const Column times = Json(kMicros, "[11, 31, 31, 31, null, 31]");
  WindowSpec spec{.features = {Feature("count(*)"), Feature("sum(n)"),
                               Feature("floor_days(as_of - max(at)) + 1")},
                  .existence = {.unbounded = true},
                  .absent = AbsentRows::kNull};
  EXPECT_EQ(Shown(AggregateAtSpine(SomeEvents(), {keys}, times, spec)),
            "1 2 1 | 3 4 1 | null null null | null null null | null null null | 3 4 1");
  spec.absent = AbsentRows::kCompute;
  EXPECT_EQ(Shown(AggregateAtSpine(SomeEvents(), {keys}, times, spec)),
            "1 2 1 | 3 4 1 | 0 null null | 0 null null | 0 null null | 3 4 1");
}

TEST(WindowAggregate, FollowingWindowsStartAtT) {
  const WindowSpec spec{.features = {Feature("count(*)", {.following = true, .length_us = 10})},
                        .absent = AbsentRows::kCompute};
  EXPECT_EQ(Shown(AggregateAtSpine(SomeEvents(), {Json(arrow::int64(), "[1, 1, 1, 1]")},
                                   Json(kMicros, "[10, 11, 20, 1]"), spec)),
            "1 | 1 | 1 | 1");
}

TEST(WindowAggregate, TimesAtTheEndsOfTheRangeDoNotWrap) {
  const std::string most = std::to_string(std::numeric_limits<int64_t>::max());
  const EventRows events = Events(Json(arrow::int64(), "[1, 1]"), "[-" + most + ", " + most + "]",
                                  "[1, 2]", "[1, 2]", R"(["a", "b"])", "[true, true]");
  const int64_t length = std::numeric_limits<int64_t>::max();
  const WindowSpec spec{.features = {Feature("sum(n)", {.length_us = length}),
                                     Feature("sum(n)", {.following = true, .length_us = length})},
                        .absent = AbsentRows::kCompute};
  EXPECT_EQ(Shown(AggregateAtSpine(events, {Json(arrow::int64(), "[1, 1, 1]")},
                                   Json(kMicros, "[-" + most + ", 0, " + most + "]"), spec)),
            "null 1 | 1 null | null 2");
}

TEST(WindowAggregate, NanosecondsAndSecondsMeet) {
  EventRows events = SomeEvents();
  events.time = Json(arrow::timestamp(arrow::TimeUnit::SECOND), "[0, 0, 1, 2, 0, 0]");
  const WindowSpec spec{.features = {Feature("count(*)", {.length_us = 1000000})},
                        .absent = AbsentRows::kCompute};
  const Column spine =
      Json(arrow::timestamp(arrow::TimeUnit::NANO), "[0, 1, 1000000000, 1000000001]");
  EXPECT_EQ(Shown(AggregateAtSpine(events, {Json(arrow::int64(), "[1, 1, 1, 1]")}, spine, spec)),
            "0 | 1 | 1 | 1");
}

TEST(WindowAggregate, AnOverflowingSumNamesAggregateAndKey) {
  const std::string most = std::to_string(std::numeric_limits<int64_t>::max());
  const EventRows events = Events(Json(arrow::utf8(), R"(["u", "v", "v", "v"])"), "[1, 1, 2, 3]",
                                  "[1, " + most + ", 1, -1]", "[1, 2, 3, 4]",
                                  R"(["a", "b", "c", "d"])", "[true, true, true, true]");
  WindowSpec spec{.features = {Feature("sum(n)")}, .existence = {.unbounded = true}};
  EXPECT_EQ(Shown(AggregateAtGrid(events, {"k"}, {10}, spec)), "u 10 1 | v 10 " + most);
  EXPECT_EQ(Shown(AggregateAtGrid(events, {"k"}, {3}, spec)),
            "feature f: sum(n) exceeds bigint for key (v)");
}

TEST(WindowAggregate, WithoutKeysThereIsOneSeries) {
  EventRows events = SomeEvents();
  events.keys = {};
  const WindowSpec spec{.features = {Feature("count(*)")}, .existence = {.unbounded = true}};
  EXPECT_EQ(Shown(AggregateAtGrid(events, {}, {10, 11, 31}, spec)), "11 3 | 31 5");
}

// The random test: every aggregate over random windows, against the oracle.

const char* const kFeatures[] = {"count(*)",
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

Row ReadRow(const arrow::RecordBatch& batch, int64_t row) {
  Row out;
  for (const Column& column : batch.columns()) out.push_back(*expression::ValueAt(*column, row));
  return out;
}

// The rows of a key in a window, by (time, position).
Rows RowsIn(const EventRows& events, const Value& key, int64_t t, const TimeWindow& window) {
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

std::string Text(const Value& value) {
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

std::string Text(const Row& row) {
  std::string out;
  for (const Value& value : row) out += Text(value) + " ";
  return out.empty() ? "null " : out;
}

std::string TextAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return "null ";
  if (array.type_id() != arrow::Type::LIST) return Text(*expression::ValueAt(array, row)) + " ";
  const Column values = static_cast<const arrow::ListArray&>(array).value_slice(row);
  Row out;
  for (int64_t i = 0; i < values->length(); ++i) out.push_back(*expression::ValueAt(*values, i));
  return Text(out);
}

// The same events with their texts as codes.
EventRows Coded(EventRows events) {
  const int text = events.columns->schema()->GetFieldIndex("s");
  const Column coded = *ToPlainOrCoded(events.columns->column(text), CodedType(arrow::utf8()),
                                       arrow::default_memory_pool());
  events.columns = *events.columns->SetColumn(text, arrow::field("s", coded->type()), coded);
  return events;
}

TEST(WindowAggregate, ANullAmongADictionarysValuesIsNull) {
  EventRows events = SomeEvents();
  const Column values = Json(arrow::utf8(), R"(["a", null])");
  const Column coded = *arrow::DictionaryArray::FromArrays(
      CodedType(arrow::utf8()), Json(arrow::int32(), "[0, 1, 1, 0, 1, 0]"), values);
  events.columns = *events.columns->SetColumn(3, arrow::field("s", coded->type()), coded);
  WindowSpec spec{.features = {Feature("count(distinct s)"), Feature("count(count(*) per s)")},
                  .existence = {.length_us = 100}};
  const auto grid = AggregateAtGrid(events, {"k"}, {50}, spec);
  ASSERT_TRUE(grid.ok()) << grid.status().message();
  // Key 1 has "a", null, "a"; key 2 null, and one row without a time.
  EXPECT_TRUE((*grid)->column(2)->Equals(Json(arrow::int64(), "[1, 0]")));
  EXPECT_TRUE((*grid)->column(3)->Equals(Json(arrow::int64(), "[2, 1]")));
}

TEST(WindowAggregate, EveryAggregateEqualsTheOracleAtASpine) {
  RandomCase random(11);
  for (int trial = 0; trial < TestRounds(60); ++trial) {
    const EventRows events = random.Events(trial == 0 ? 0 : 10 + random.Below(60));
    const int64_t rows = random.Below(25);
    const Column keys = random.Keys(rows);
    const Column times = random.Times(rows);
    WindowSpec spec{.absent = AbsentRows::kCompute};
    for (const char* text : kFeatures)
      spec.features.push_back({text, Parse(text), random.Window(), nullptr});
    const auto batch = AggregateAtSpine(trial % 2 ? Coded(events) : events, {keys}, times, spec);
    ASSERT_TRUE(batch.ok()) << batch.status().message();
    for (int64_t row = 0; row < rows; ++row) {
      const bool none = keys->IsNull(row) || times->IsNull(row);
      for (size_t i = 0; i < spec.features.size(); ++i) {
        const WindowFeature& feature = spec.features[i];
        const Rows in = none ? Rows()
                             : RowsIn(events, *expression::ValueAt(*keys, row),
                                      static_cast<const arrow::TimestampArray&>(*times).Value(row),
                                      feature.window);
        ASSERT_EQ(TextAt(*(*batch)->column(static_cast<int>(i)), row),
                  Text(CallOracle(*feature.aggregation.calls[0], in)))
            << feature.name << " trial " << trial << " row " << row;
      }
    }
  }
}

TEST(WindowAggregate, AGridEqualsItsSpine) {
  RandomCase random(12);
  for (int trial = 0; trial < TestRounds(8); ++trial) {
    const EventRows events = random.Events(60);
    WindowSpec spec{.existence = {.length_us = (1 + random.Below(20)) * 10800000000},
                    .having = Parse("count(* where b) > 0")};
    for (const char* text : kFeatures)
      spec.features.push_back({text, Parse(text), random.Window(), nullptr});
    std::vector<int64_t> cutoffs;
    for (int i = 0; i < 9; ++i) cutoffs.push_back(random.Below(45) * 21600000000);
    std::sort(cutoffs.begin(), cutoffs.end());
    const auto grid = AggregateAtGrid(events, {"k"}, cutoffs, spec).ValueOrDie();
    spec.absent = AbsentRows::kNull;
    const auto spine =
        AggregateAtSpine(events, {grid->column(0)}, grid->column(1), spec).ValueOrDie();
    for (size_t i = 0; i < spec.features.size(); ++i) {
      const int column = static_cast<int>(i);
      EXPECT_TRUE(spine->column(column)->Equals(grid->column(column + 2),
                                                arrow::EqualOptions().nans_equal(true)))
          << spec.features[i].name;
    }
    int64_t expected = 0;
    for (const int64_t cutoff : cutoffs) {
      for (int64_t key = 0; key < 3; ++key) {
        const Rows in = RowsIn(events, key, cutoff, spec.existence);
        expected += !in.empty() && CallOracle(*spec.having->calls[0], in) != Row{int64_t{0}};
      }
    }
    EXPECT_EQ(grid->num_rows(), expected);
  }
}

}  // namespace
}  // namespace viand::engine
