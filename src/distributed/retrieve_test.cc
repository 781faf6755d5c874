#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <functional>

#include "src/distributed/local_executor.h"
#include "src/distributed/process_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/execute.h"
#include "src/engine/plan_counters.h"

namespace viand::distributed {
namespace {

using engine::AsOfView;
using engine::FileFormat;
using engine::Lookup;
using engine::RetrievalPlan;
using engine::Scan;
using engine::WindowView;
using testing::Folder;
using testing::LookupOf;
using testing::Micros;
using testing::ScanOf;
using testing::Show;
using testing::TableOf;

arrow::Result<std::shared_ptr<arrow::Table>> RunPlan(const RetrievalPlan& plan,
                                                     int partitions = 3) {
  const auto executor = MakeLocalExecutor({.threads = 2});
  return engine::Retrieve(plan, {.executor = executor.get(), .partitions = partitions});
}

std::string ErrorOf(const RetrievalPlan& plan) {
  const auto result = RunPlan(plan);
  return result.ok() ? "no error" : RenderError(result.status());
}

std::shared_ptr<arrow::Table> Spine() {
  return TableOf({{"label", arrow::int8(), "[5, 6, 7, 8, 9, 10]"},
                  {"k", arrow::int32(), "[2, 1, 2, null, 3, 1]"},
                  {"event_timestamp", Micros(), "[20, 10, 20, 20, 20, null]"}});
}

std::shared_ptr<arrow::Table> Features() {
  return TableOf({{"k", arrow::int64(), "[1, 2, 2, 1, null]"},
                  {"ts", Micros(), "[5, 10, 20, 11, 1]"},
                  {"v", arrow::int64(), "[100, 200, 201, 101, 1]"},
                  {"w", arrow::utf8(), R"(["a", "b", null, "d", "e"])"}});
}

RetrievalPlan PlanOf(Scan spine, std::vector<Lookup> lookups) {
  RetrievalPlan plan;
  plan.spine = std::move(spine);
  plan.lookups = std::move(lookups);
  return plan;
}

RetrievalPlan SimplePlan() {
  return PlanOf(ScanOf(Spine(), "the spine"), {LookupOf(ScanOf(Features()), {"k"}, {"v", "w"})});
}

TEST(Retrieve, AppendsToAnUntouchedSpine) {
  const auto table = RunPlan(SimplePlan()).ValueOrDie();
  EXPECT_EQ(table->num_rows(), 6);
  EXPECT_TRUE(table->SelectColumns({0, 1, 2}).ValueOrDie()->Equals(*Spine()));
  EXPECT_EQ(Show(*table, "v"), "201 100 201 - - -");
  EXPECT_EQ(Show(*table, "w"), "- a - - - -");
}

TEST(Retrieve, AHeavyKeyOfTheSpineIsJoinedByManyFragments) {
  arrow::Int64Builder keys;
  arrow::TimestampBuilder times(Micros(), arrow::default_memory_pool());
  const int64_t rows = 1'200'000;
  for (int64_t row = 0; row < rows; ++row) {
    ASSERT_TRUE(keys.Append(2).ok());
    ASSERT_TRUE(times.Append(row % 30).ok());
  }
  const auto spine = arrow::Table::Make(
      arrow::schema({arrow::field("k", arrow::int64()), arrow::field("event_timestamp", Micros())}),
      {*keys.Finish(), *times.Finish()});
  const RetrievalPlan plan = PlanOf(ScanOf(spine), {LookupOf(ScanOf(Features()), {"k"}, {"v"})});
  const auto executor = MakeLocalExecutor({.threads = 8});
  engine::PlanCounters counters;
  const auto table =
      engine::Retrieve(plan, {.executor = executor.get(), .partitions = 2, .counters = &counters})
          .ValueOrDie();
  const auto stages = counters.Total();
  EXPECT_GT(stages.at({engine::OperatorKind::kAsOfJoin, 0}).fragments.size(), 3U);
  EXPECT_EQ(Show(*table->Slice(0, 30), "v"), Show(*table->Slice(rows - 30), "v"));
  EXPECT_EQ(Show(*table->Slice(8, 13), "v"), "- - 200 200 200 200 200 200 200 200 200 200 201");
}

TEST(Retrieve, AHeavyKeyOfWindowsIsAggregatedByManyFragments) {
  arrow::Int64Builder keys, values;
  arrow::TimestampBuilder times(Micros(), arrow::default_memory_pool());
  for (int64_t row = 0; row < 600'000; ++row) {
    ASSERT_TRUE(keys.Append(row % 50 == 0 ? row % 7 : 2).ok());
    ASSERT_TRUE(times.Append(row * 10).ok());
    ASSERT_TRUE(values.Append(row % 1009).ok());
  }
  const auto events = arrow::Table::Make(
      arrow::schema({arrow::field("k", arrow::int64()), arrow::field("ts", Micros()),
                     arrow::field("v", arrow::int64())}),
      {*keys.Finish(), *times.Finish(), *values.Finish()});
  arrow::TimestampBuilder asked(Micros(), arrow::default_memory_pool());
  for (int64_t row = 0; row < 300; ++row) {
    ASSERT_TRUE(keys.Append(row % 3).ok());
    ASSERT_TRUE(asked.Append(row * 20'001).ok());
  }
  const auto spine = arrow::Table::Make(
      arrow::schema({arrow::field("k", arrow::int64()), arrow::field("event_timestamp", Micros())}),
      {*keys.Finish(), *asked.Finish()});
  WindowView view{.source = ScanOf(events), .keys = {"k"}, .timestamp_column = "ts"};
  view.existence = {.unbounded = true};
  view.features = {{"total", "sum(v)", {.unbounded = true}, ""},
                   {"kinds", "count(distinct v)", {.length_us = 400'000}, ""}};
  const RetrievalPlan plan = PlanOf(
      ScanOf(spine), {Lookup{.view = view, .spine_keys = {"k"}, .output_names = {"t", "n"}}});
  const auto run = [&](engine::Executor* executor, size_t* fragments) {
    engine::PlanCounters counters;
    auto table =
        engine::Retrieve(plan, {.executor = executor, .partitions = 3, .counters = &counters})
            .ValueOrDie();
    *fragments = counters.Total().at({engine::OperatorKind::kAggregate, 0}).fragments.size();
    return table;
  };
  size_t whole = 0, cut = 0;
  const auto expected = run(MakeLocalExecutor({.threads = 4}).get(), &whole);
  const Folder folder;
  const auto elsewhere =
      MakeProcessExecutor(
          {.command = {VIAND_FRAGMENT_PROGRAM}, .processes = 4, .storage_path = folder.path()})
          .ValueOrDie();
  EXPECT_TRUE(run(elsewhere.get(), &cut)->Equals(*expected));
  EXPECT_EQ(whole, 3U);
  EXPECT_GT(cut, 5U);
}

/// How many stages were begun and not ended.
class OpenStages final : public Progress {
 public:
  void Begin(std::string_view /*stage*/, int64_t /*total*/, std::string_view /*unit*/) override {
    ++open;
  }
  void Advance(int64_t /*count*/) override {}
  void End() override { --open; }
  int open = 0;
};

TEST(Retrieve, WhoeverStopsReadingLeavesNoStageOpen) {
  OpenStages progress;
  const auto executor = MakeLocalExecutor({.threads = 1});
  auto rows =
      engine::RetrieveRows(SimplePlan(),
                           {.executor = executor.get(), .chunk_rows = 2, .progress = &progress})
          .ValueOrDie();
  EXPECT_EQ(progress.open, 0);
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE(rows->ReadNext(&batch).ok());
  EXPECT_EQ(batch->num_rows(), 1) << "half of a chunk is put together at a time";
  EXPECT_EQ(progress.open, 1);
  rows.reset();
  EXPECT_EQ(progress.open, 0);
}

TEST(Retrieve, HonoursTtlAndGrid) {
  RetrievalPlan plan = SimplePlan();
  std::get<AsOfView>(plan.lookups[0].view).ttl_us = 4;
  EXPECT_EQ(Show(*RunPlan(plan).ValueOrDie(), "v"), "201 - 201 - - -");
  std::get<AsOfView>(plan.lookups[0].view).ttl_us = 0;
  std::get<AsOfView>(plan.lookups[0].view).grid_us = {6, 20};
  EXPECT_EQ(Show(*RunPlan(plan).ValueOrDie(), "v"), "201 - 201 - - -");
}

TEST(Retrieve, AViewWithoutKeysMatchesEveryRow) {
  const auto table =
      RunPlan(PlanOf(ScanOf(Spine()), {LookupOf(ScanOf(Features()), {}, {"v"})})).ValueOrDie();
  EXPECT_EQ(Show(*table, "v"), "201 200 201 201 201 -");
}

TEST(Retrieve, KeysOfTwoColumnsAreMatchedByName) {
  const auto spine = TableOf({{"a", arrow::utf8(), R"(["x", "y", "x"])"},
                              {"b", arrow::int64(), "[1, 1, 2]"},
                              {"event_timestamp", Micros(), "[9, 9, 9]"}});
  const auto features = TableOf({{"a", arrow::large_utf8(), R"(["x", "x", "y"])"},
                                 {"b", arrow::int16(), "[2, 1, 1]"},
                                 {"ts", Micros(), "[1, 1, 1]"},
                                 {"v", arrow::int64(), "[12, 11, 21]"}});
  Lookup one = LookupOf(ScanOf(features), {"a", "b"}, {"v"});
  Lookup other = LookupOf(ScanOf(features), {"b", "a"}, {"v"});
  other.output_names = {"v2"};
  const auto table = RunPlan(PlanOf(ScanOf(spine), {one, other})).ValueOrDie();
  EXPECT_EQ(Show(*table, "v"), "11 21 12");
  EXPECT_EQ(Show(*table, "v2"), "11 21 12");
}

TEST(Retrieve, OneNameTwiceNamesBothOrigins) {
  RetrievalPlan plan = SimplePlan();
  plan.lookups[0].output_names = {"label", "w"};
  EXPECT_EQ(
      ErrorOf(plan),
      "two columns of the result are named \"label\": one of the spine, one of source s\n  hint: "
      "--full-feature-names names features view__feature; so does an alias in a feature service");
  std::get<AsOfView>(plan.lookups[0].view).described_as = "feature view \"scores\"";
  EXPECT_TRUE(ErrorOf(plan).starts_with(
      "two columns of the result are named \"label\": one of the spine, one of feature view "
      "\"scores\"\n"))
      << ErrorOf(plan);
}

TEST(Retrieve, KeysThatCannotBeComparedNameTheirColumns) {
  const auto error_of = [](const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
    const auto spine = TableOf({{"k", type, json}, {"event_timestamp", Micros(), "[9]"}});
    RetrievalPlan plan =
        PlanOf(ScanOf(spine, "the spine"), {LookupOf(ScanOf(Features()), {"k"}, {"v"})});
    std::get<AsOfView>(plan.lookups[0].view).described_as = "feature view \"scores\"";
    return ErrorOf(plan);
  };
  EXPECT_EQ(error_of(arrow::utf8(), R"(["1"])"),
            "the key column \"k\" of the spine is of type varchar, but the key \"k\" of feature "
            "view \"scores\" is of type bigint\n  hint: cast one of them to the other's type");
  EXPECT_EQ(error_of(arrow::float64(), "[1]"),
            "the key column \"k\" of the spine is of type double, which cannot be a key\n  hint: a "
            "key is an integer, a text, bytes or a time: cast it (pandas makes integers beside "
            "nulls floats: astype(\"Int64\") keeps them)");
}

TEST(Retrieve, AFailingFeatureNamesItsViewAndItsPlace) {
  const auto events = TableOf({{"k", arrow::int64(), "[1, 1]"},
                               {"ts", Micros(), "[1, 2]"},
                               {"x", arrow::int64(), "[9223372036854775807, 1]"}});
  const auto spine = TableOf({{"k", arrow::int64(), "[1]"}, {"event_timestamp", Micros(), "[9]"}});
  WindowView view;
  view.source = ScanOf(events);
  view.keys = {"k"};
  view.timestamp_column = "ts";
  view.existence = {.unbounded = true};
  view.features = {{"total", "sum(x)", view.existence, "", {"views.yaml", 7, 12}}};
  view.described_as = "feature view \"totals\"";
  view.where = {"views.yaml", 3, 5};
  Lookup lookup;
  lookup.view = view;
  lookup.spine_keys = {"k"};
  lookup.output_names = {"total"};
  EXPECT_EQ(
      ErrorOf(PlanOf(ScanOf(spine), {lookup})),
      "views.yaml:7:12: feature view \"totals\", feature total: sum(x) exceeds bigint for key "
      "(1)\n  hint: sum it as double: sum(cast(x as double))");
  view.features = {{"total", "count(*)", view.existence, "", {"views.yaml", 7, 12}}};
  view.having = "sum(x) > 0";
  lookup.view = view;
  EXPECT_TRUE(ErrorOf(PlanOf(ScanOf(spine), {lookup}))
                  .starts_with("views.yaml:3:5: feature view \"totals\", sum(x) exceeds bigint"))
      << ErrorOf(PlanOf(ScanOf(spine), {lookup}));
}

TEST(Retrieve, AMissingColumnNamesTheNearest) {
  RetrievalPlan plan = SimplePlan();
  std::get<AsOfView>(plan.lookups[0].view).columns = {"vv", "w"};
  EXPECT_EQ(ErrorOf(plan), "no column \"vv\" in source s\n  hint: did you mean \"v\"?");
  plan = SimplePlan();
  plan.lookups[0].spine_keys = {"labels"};
  EXPECT_EQ(ErrorOf(plan), "no column \"labels\" in the spine\n  hint: did you mean \"label\"?");
  plan = SimplePlan();
  plan.spine_timestamp = "timestamp";
  EXPECT_EQ(ErrorOf(plan),
            "no column \"timestamp\" in the spine\n  hint: it has: label, k, event_timestamp");
}

TEST(Retrieve, ATextIsNoTime) {
  const auto spine = TableOf(
      {{"k", arrow::int64(), "[1]"}, {"event_timestamp", arrow::utf8(), R"(["2020-01-01"])"}});
  const std::string error =
      ErrorOf(PlanOf(ScanOf(spine, "the spine"), {LookupOf(ScanOf(Features()), {"k"}, {"v"})}));
  EXPECT_TRUE(
      error.starts_with("column \"event_timestamp\" of the spine is string, expected a timestamp "
                        "or a date\n  hint: "))
      << error;
}

TEST(Retrieve, ReadsCsvSpinesWithTheTypesOfTheKeys) {
  const Folder folder;
  Scan spine;
  spine.files = {folder.WriteText(
      "code,event_timestamp,x\n007,1970-01-02 00:00:00,1\n7,1970-01-02,\n", "spine.csv")};
  spine.format = FileFormat::kCsv;
  const auto features = TableOf({{"code", arrow::utf8(), R"(["7", "007"])"},
                                 {"ts", Micros(), "[1, 1]"},
                                 {"v", arrow::int64(), "[1, 2]"}});
  const auto table =
      RunPlan(PlanOf(spine, {LookupOf(ScanOf(features), {"code"}, {"v"})})).ValueOrDie();
  EXPECT_EQ(Show(*table, "code"), "007 7");
  EXPECT_EQ(Show(*table, "x"), "1 -");
  EXPECT_EQ(Show(*table, "v"), "2 1");
}

TEST(Retrieve, EncodedColumnsComeBackAsTheyWere) {
  const auto dictionary = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto spine = TableOf(
      {{"k", dictionary, R"(["b", null, "a"])"}, {"event_timestamp", Micros(), "[9, 9, 9]"}});
  const auto features = TableOf({{"k", arrow::utf8(), R"(["a", "b"])"},
                                 {"ts", Micros(), "[1, 1]"},
                                 {"d", dictionary, R"(["x", "y"])"}});
  const auto table =
      RunPlan(PlanOf(ScanOf(spine), {LookupOf(ScanOf(features), {"k"}, {"d"})})).ValueOrDie();
  ASSERT_TRUE(table->GetColumnByName("d")->type()->Equals(*dictionary));
  ASSERT_TRUE(table->GetColumnByName("k")->Equals(*spine->GetColumnByName("k")));
  EXPECT_EQ(
      arrow::compute::Cast(table->GetColumnByName("d"), arrow::utf8())
          ->chunked_array()
          ->chunk(0)
          ->ToString(),
      TableOf({{"d", arrow::utf8(), R"(["y", null, "x"])"}})->column(0)->chunk(0)->ToString());
}

TEST(Retrieve, RenamesAndFiltersFiles) {
  const Folder folder;
  Scan source;
  source.files = {folder.WriteParquet(*Features()->Slice(0, 2), "a.parquet", 1),
                  folder.WriteParquet(*Features()->Slice(2), "b.parquet", 1)};
  source.renames = {{"v", "value"}};
  source.filter = "value <> 201";
  source.described_as = "source s";
  EXPECT_EQ(
      Show(*RunPlan(PlanOf(ScanOf(Spine()), {LookupOf(source, {"k"}, {"value"})})).ValueOrDie(),
           "value"),
      "200 100 200 - - -");
}

TEST(Retrieve, FilesMayWidenButNotChange) {
  const Folder folder;
  const auto narrow =
      TableOf({{"k", arrow::int32(), "[1]"}, {"ts", Micros(), "[1]"}, {"v", arrow::int8(), "[1]"}});
  const auto other = TableOf(
      {{"k", arrow::int64(), "[1]"}, {"ts", Micros(), "[2]"}, {"v", arrow::utf8(), R"(["x"])"}});
  Scan source;
  source.files = {folder.WriteParquet(*narrow, "a.parquet"),
                  folder.WriteParquet(*Features(), "b.parquet")};
  source.described_as = "source s";
  const auto table =
      RunPlan(PlanOf(ScanOf(Spine()), {LookupOf(source, {"k"}, {"v"})})).ValueOrDie();
  EXPECT_EQ(table->GetColumnByName("v")->type()->id(), arrow::Type::INT64);
  source.files[1] = folder.WriteParquet(*other, "c.parquet");
  EXPECT_EQ(ErrorOf(PlanOf(ScanOf(Spine()), {LookupOf(source, {"k"}, {"v"})})),
            "column \"v\" of source s, file " + source.files[1] +
                " is string, expected int8\n  hint: files of one source must have one schema; "
                "integers may widen");
  source.files[1] = folder.WriteParquet(
      *Features()->RenameColumns({"k", "ts", "V", "w"}).ValueOrDie(), "d.parquet");
  EXPECT_EQ(
      ErrorOf(PlanOf(ScanOf(Spine()), {LookupOf(source, {"k"}, {"v"})})),
      "no column \"v\" in source s, file " + source.files[1] + "\n  hint: did you mean \"V\"?");
}

TEST(Retrieve, SaysWhichFileIsMissingOrDamaged) {
  const Folder folder;
  Scan source;
  source.described_as = "source s";
  source.files = {folder.path() + "/nowhere.parquet"};
  EXPECT_EQ(ErrorOf(PlanOf(ScanOf(Spine()), {LookupOf(source, {"k"}, {"v"})})),
            "source s: no such file: " + source.files[0] +
                "\n  hint: it must be there before it can be read: run the step that makes it");
  source.files = {folder.WriteText("this is no parquet at all", "a.parquet")};
  const std::string error = ErrorOf(PlanOf(ScanOf(Spine()), {LookupOf(source, {"k"}, {"v"})}));
  EXPECT_EQ(error, "source s: " + source.files[0] +
                       " is not a Parquet file: it does not start with \"PAR1\" as Parquet does\n  "
                       "hint: is the file whole?");
}

/// Does something before a stage; else as it is.
class DisturbedExecutor : public engine::Executor {
 public:
  DisturbedExecutor(int stage, std::function<void()> disturb)
      : stage_(stage), disturb_(std::move(disturb)) {}
  int Parallelism() const override { return quiet_->Parallelism(); }
  arrow::Result<engine::TableReference> Put(std::shared_ptr<arrow::Table> table) override {
    return quiet_->Put(std::move(table));
  }
  arrow::Result<std::vector<std::vector<engine::TableReference>>> RunStage(
      std::string_view name, std::vector<engine::FragmentCall> calls, Progress* progress,
      engine::StageCounters* counters) override {
    if (stages_++ == stage_) disturb_();
    return quiet_->RunStage(name, std::move(calls), progress, counters);
  }
  arrow::Result<std::shared_ptr<arrow::Table>> Fetch(
      const engine::TableReference& reference) override {
    return quiet_->Fetch(reference);
  }
  int stages() const { return stages_; }

 private:
  const std::unique_ptr<engine::Executor> quiet_ = MakeLocalExecutor({.threads = 2});
  const int stage_;
  const std::function<void()> disturb_;
  int stages_ = 0;
};

TEST(Retrieve, AFileThatIsReplacedBetweenStagesMakesNoMixture) {
  const Folder folder;
  Scan source;
  source.files = {folder.WriteParquet(*Features(), "features.parquet")};
  source.described_as = "source s";
  const RetrievalPlan plan = PlanOf(ScanOf(Spine(), "the spine"), {LookupOf(source, {"k"}, {"v"})});
  const auto replace = [&] { folder.WriteParquet(*Features()->Slice(1), "features.parquet"); };
  DisturbedExecutor quiet(-1, [] {});
  ASSERT_TRUE(engine::Retrieve(plan, {.executor = &quiet}).ok());
  ASSERT_GT(quiet.stages(), 2);
  for (int stage = 0; stage < quiet.stages(); ++stage) {
    folder.WriteParquet(*Features(), "features.parquet");
    DisturbedExecutor executor(stage, replace);
    const auto result = engine::Retrieve(plan, {.executor = &executor});
    EXPECT_EQ(RenderError(result.status()),
              "source s: " + source.files[0] +
                  " was written anew while it was read\n"
                  "  hint: let what writes it finish, then run the command again")
        << stage;
  }
}

TEST(Retrieve, KeysThatCannotBeComparedAreAnError) {
  const auto spine =
      TableOf({{"k", arrow::utf8(), R"(["1"])"}, {"event_timestamp", Micros(), "[9]"}});
  EXPECT_EQ(
      ErrorOf(PlanOf(ScanOf(spine, "the spine"), {LookupOf(ScanOf(Features()), {"k"}, {"v"})})),
      "the key column \"k\" of the spine is of type varchar, but the key \"k\" of source s is "
      "of type bigint\n  hint: cast one of them to the other's type");
}

TEST(Retrieve, AnEmptySpineKeepsItsTypes) {
  const auto table =
      RunPlan(PlanOf(ScanOf(Spine()->Slice(0, 0)), {LookupOf(ScanOf(Features()), {"k"}, {"v"})}))
          .ValueOrDie();
  EXPECT_EQ(table->num_rows(), 0);
  EXPECT_EQ(table->GetColumnByName("v")->type()->id(), arrow::Type::INT64);
}

TEST(Retrieve, ASpineOfNullTimesReadsNothing) {
  const auto spine =
      TableOf({{"k", arrow::null(), "[null]"}, {"event_timestamp", arrow::null(), "[null]"}});
  EXPECT_EQ(Show(*RunPlan(PlanOf(ScanOf(spine), {LookupOf(ScanOf(Features()), {"k"}, {"v"})}))
                      .ValueOrDie(),
                 "v"),
            "-");
}

}  // namespace
}  // namespace viand::distributed
