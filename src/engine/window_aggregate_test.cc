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
#include "src/engine/window_fixture.h"
#include "src/expression/value.h"

namespace viand::engine {
namespace {

using window_fixture::Column;
using window_fixture::EventSchema;
using window_fixture::kFeatures;
using window_fixture::kMicros;
using window_fixture::Parse;
using window_fixture::RandomCase;
using window_fixture::RowsIn;
using window_fixture::Text;
using window_fixture::TextAt;

Column Json(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return *arrow::json::ArrayFromJSONString(type, json);
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

TEST(WindowAggregate, ALongSpineHasWhatItsPartsHave) {
  RandomCase random(13);
  constexpr int64_t kRows = 40'000, kPart = 9'000;  // features come in pieces
  const EventRows events = random.Events(60);
  const Column keys = random.Keys(kRows), times = random.Times(kRows);
  for (const AbsentRows absent : {AbsentRows::kCompute, AbsentRows::kNull}) {
    const WindowSpec spec{.features = {Feature("count(n)"), Feature("sum(x)"), Feature("last(s)")},
                          .existence = {.length_us = 10 * 10800000000},
                          .absent = absent};
    const auto whole = AggregateAtSpine(events, {keys}, times, spec).ValueOrDie();
    ASSERT_EQ(whole->num_rows(), kRows);
    for (int64_t first = 0; first < kRows; first += kPart) {
      const auto part =
          AggregateAtSpine(events, {keys->Slice(first, kPart)}, times->Slice(first, kPart), spec)
              .ValueOrDie();
      for (int i = 0; i < part->num_columns(); ++i)
        EXPECT_TRUE(part->column(i)->Equals(whole->column(i)->Slice(first, kPart)));
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
