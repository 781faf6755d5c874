#include <arrow/array.h>
#include <gtest/gtest.h>

#include "src/distributed/local_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/execute.h"

namespace viand::distributed {
namespace {

using engine::BackfillPlan;
using engine::WindowView;
using testing::Micros;
using testing::ScanOf;
using testing::Show;
using testing::TableOf;

arrow::Result<std::shared_ptr<arrow::Table>> RunPlan(const BackfillPlan& plan) {
  const auto executor = MakeLocalExecutor({.threads = 2});
  return engine::Backfill(plan, {.executor = executor.get(), .partitions = 3});
}

WindowView View() {
  WindowView view;
  view.source = ScanOf(TableOf(
      {{"k", arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["b", "a", "c", null, "a"])"},
       {"ts", Micros(), "[1, 5, 9, 5, 15]"},
       {"x", arrow::int64(), "[1, 2, 3, 4, 5]"}}));
  view.keys = {"k"};
  view.timestamp_column = "ts";
  view.existence = {.length_us = 10};
  view.features = {{"total", "sum(x)", view.existence, ""}};
  return view;
}

TEST(Backfill, OrdersByTimeThenKeysOfTheSourcesType) {
  const auto table = RunPlan({View(), {10, 20}}).ValueOrDie();
  EXPECT_EQ(table->schema()->field_names(),
            (std::vector<std::string>{"k", "event_timestamp", "total"}));
  EXPECT_EQ(table->field(0)->type()->id(), arrow::Type::DICTIONARY);
  EXPECT_TRUE(table->field(1)->type()->Equals(*Micros()));
  EXPECT_EQ(Show(*table, "total"), "2 1 3 5");
  const auto keys = std::static_pointer_cast<arrow::DictionaryArray>(table->column(0)->chunk(0));
  EXPECT_EQ(Show(*arrow::Table::Make(arrow::schema({arrow::field("k", arrow::int8())}),
                                     {keys->indices()}),
                 "k"),
            "0 1 2 0");
}

TEST(Backfill, FiltersAndMayBeEmpty) {
  WindowView view = View();
  view.source.filter = "x > 2";
  EXPECT_EQ(Show(*RunPlan({view, {10, 20}}).ValueOrDie(), "total"), "3 5");
  EXPECT_EQ(RunPlan({view, {}}).ValueOrDie()->num_rows(), 0);
  EXPECT_EQ(RunPlan({view, {1000}}).ValueOrDie()->num_rows(), 0);
}

TEST(Backfill, NamesWhatIsWrong) {
  WindowView view = View();
  view.features[0].expr = "sum(xx)";
  EXPECT_TRUE(RunPlan({view, {10}}).status().message().starts_with("feature \"total\": "));
  view = View();
  view.features[0].name = "event_timestamp";
  EXPECT_EQ(KindOf(RunPlan({view, {10}}).status()), ErrorKind::kDefinition);
  view = View();
  view.timestamp_column = "x";
  EXPECT_EQ(RunPlan({view, {10}}).status().message(),
            "column \"x\" of source s is int64, expected a timestamp or a date");
}

TEST(Retrieve, AWindowWithoutKeysHoldsAllRows) {
  WindowView view = View();
  view.keys = {};
  engine::RetrievalPlan plan;
  plan.spine = ScanOf(TableOf({{"event_timestamp", Micros(), "[10, 1, 20]"}}), "the spine");
  plan.lookups = {{.view = view, .spine_keys = {}, .output_names = {"total"}}};
  const auto executor = MakeLocalExecutor({.threads = 2});
  const auto table =
      engine::Retrieve(plan, {.executor = executor.get(), .partitions = 3}).ValueOrDie();
  EXPECT_EQ(Show(*table, "total"), "10 - 5");
}

TEST(Explain, ShowsScansPartitionsAndOperators) {
  EXPECT_EQ(engine::ToString(BackfillPlan{View(), {10'000'000, 20'000'000}}),
            "backfill, ordered by event_timestamp, k\n"
            "  window aggregates at 2 cutoffs: 1970-01-01 00:00:10, 1970-01-01 00:00:20\n"
            "    rows exist by window 10us\n"
            "    total = sum(x) over 10us\n"
            "    partition by hash of k\n"
            "      scan source s\n"
            "        table in memory, 5 rows\n"
            "        columns k, ts, x\n"
            "        times 1970-01-01 00:00:09.999990 to 1970-01-01 00:00:20\n");
}

}  // namespace
}  // namespace viand::distributed
