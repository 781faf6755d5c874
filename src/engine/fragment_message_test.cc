#include "src/engine/fragment_message.h"
#include "src/common/test_rounds.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include <random>

namespace viand::engine {
namespace {

std::shared_ptr<arrow::Schema> Columns() {
  return arrow::schema({arrow::field("k", arrow::utf8()),
                        arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
                        arrow::field("x", arrow::float64())});
}

/// What the folders of a file spell: region=eu/day=null.
std::shared_ptr<arrow::RecordBatch> Constants() {
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("region", arrow::utf8()), arrow::field("day", arrow::int64())}),
      1,
      {arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["eu"])").ValueOrDie(),
       arrow::json::ArrayFromJSONString(arrow::int64(), "[null]").ValueOrDie()});
}

MapFragment Map() {
  MapFragment map;
  map.parts = {{"/a/b.parquet", FileFormat::kParquet, {0, 2}, Constants()},
               {"/c.arrow", FileFormat::kIpc, {1}}};
  map.columns = Columns();
  map.file_columns = {"key", "ts", "x"};
  map.described_as = "source s";
  map.filter = "x > 1";
  map.time_column = 1;
  map.range = {.min_us = -5, .max_us = std::nullopt};
  map.outputs = {0, 1};
  map.keys = {0};
  map.drop_null_keys = true;
  map.partitions = 7;
  map.first_row = 12;
  map.positions = true;
  map.slices = {.starts_us = {-3, 5, 8, 9, 10, 11}};
  map.batch_rows = 99;
  map.wanted_keys = 2;
  return map;
}

WindowFragment Window() {
  WindowFragment window;
  window.events = Columns();
  window.keys = {0};
  window.time_column = 1;
  window.tasks = {{.cutoffs_us = {1, 2},
                   .filter = "x > 0",
                   .features = {{"f", "sum(x)", {.length_us = 5}, "0", {"views.yaml", 3, 9}},
                                {"g", "count(*)", {.unbounded = true}, ""}},
                   .existence = {.following = true, .length_us = 9},
                   .having = "count(*) > 1",
                   .absent = AbsentRows::kNull,
                   .cut_at_us = {2}},
                  {.cutoffs_us = {3}}};
  window.described_as = "source s";
  window.summary_parts = 3;
  window.summarize = true;
  return window;
}

AsOfFragment AsOf() {
  AsOfFragment join;
  join.spine_parts = 2;
  join.feature_parts = 3;
  join.key_count = 1;
  join.features = arrow::schema({arrow::field("k", arrow::utf8()),
                                 arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
                                 arrow::field("position", arrow::int32())});
  join.created_not_after = true;
  join.ttl_us = 77;
  join.grid_us = {3, 4};
  join.batch_rows = 1000;
  join.first_rows = {0, 10, 30};
  join.chunks = {.rows_each = 500, .count = 2};
  return join;
}

GatherFragment Gather() {
  GatherFragment gather;
  gather.parts = Map().parts;
  gather.columns = Columns();
  gather.file_columns = {"key", "ts", "x"};
  gather.described_as = "source s";
  gather.outputs = {2, 0};
  gather.batch_rows = 99;
  gather.chunks = {.rows_each = 1000, .count = 3};
  gather.first_row = 500;
  gather.rows = 250;
  return gather;
}

WriteFragment Writing() {
  WriteFragment write;
  write.parts = Map().parts;
  write.file_columns = {"key", "label"};
  write.spine_tables = 4;
  write.skipped_rows = 3;
  write.first_row = 40;
  write.rows = 20;
  write.result =
      arrow::schema({arrow::field("k", arrow::utf8()),
                     arrow::field("label", arrow::dictionary(arrow::int8(), arrow::utf8()), false),
                     arrow::field("x", arrow::utf8_view()), arrow::field("y", arrow::int64())},
                    arrow::key_value_metadata({"a"}, {"b"}));
  write.lookups = {{2, arrow::schema({arrow::field("v", arrow::utf8())}), MissingRows::kRefused},
                   {0, arrow::schema({arrow::field("w", arrow::int64())}), MissingRows::kNull}};
  write.described_as = "spine s";
  write.path = "/out/part-00002.parquet";
  write.format = PartFormat::kIpcStream;
  write.rows_at_a_time = 7;
  return write;
}

SnapshotFragment Snapshot() {
  SnapshotFragment snapshot;
  snapshot.keys = arrow::schema({arrow::field("k", arrow::large_utf8())});
  snapshot.files = {{-5, "/out/0--5.parquet"}, {7, "s3://b/0-7.parquet"}};
  snapshot.batch_rows = 64;
  return snapshot;
}

ChainFragment Chain() {
  ChainFragment chain;
  chain.steps = {{Map(), {}}, {Gather(), {{0, 1}, {0, 0}}}, {Snapshot(), {{1, 0}}}};
  chain.outputs = {{2, 0}, {0, 1}};
  return chain;
}

BroadcastFragment Broadcast() {
  BroadcastFragment broadcast;
  broadcast.spine = Map();
  broadcast.spine.partitions = 1;
  broadcast.spine.slices = {};
  broadcast.spine.positions = false;
  broadcast.spine.filter.clear();
  broadcast.spine.time_column = -1;
  broadcast.spine.drop_null_keys = false;
  broadcast.spine_tables = 2;
  broadcast.first_row = 20;
  broadcast.rows = 30;
  BroadcastJoin lookup{.features = Map(), .join = AsOf(), .gather = Gather()};
  lookup.features.parts.clear();
  lookup.features.partitions = 1;
  lookup.features.slices = {};
  lookup.features.first_row.reset();
  lookup.join.spine_parts = lookup.join.feature_parts = 1;
  lookup.join.first_rows = {0};
  lookup.join.chunks = {};
  lookup.gather.parts.clear();
  lookup.gather.chunks = {};
  lookup.gather.first_row = 20;
  lookup.gather.rows = 30;
  broadcast.lookup = std::move(lookup);
  return broadcast;
}

std::string Rejection(const Fragment& fragment) {
  const auto parsed = ParseFragment(SerializeFragment(fragment).ValueOrDie());
  return parsed.ok() ? "parsed" : parsed.status().message();
}

TEST(FragmentMessage, EveryFieldOfAMapSurvives) {
  const auto bytes = SerializeFragment(Map()).ValueOrDie();
  const auto read = std::get<MapFragment>(ParseFragment(bytes).ValueOrDie());
  const MapFragment map = Map();
  ASSERT_EQ(read.parts.size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.parts[i].path, map.parts[i].path);
    EXPECT_EQ(read.parts[i].format, map.parts[i].format);
    EXPECT_EQ(read.parts[i].groups, map.parts[i].groups);
  }
  EXPECT_TRUE(read.parts[0].constants->Equals(*Constants()));
  EXPECT_EQ(read.parts[1].constants, nullptr);
  EXPECT_TRUE(read.columns->Equals(*map.columns));
  EXPECT_EQ(read.file_columns, map.file_columns);
  EXPECT_EQ(read.described_as, map.described_as);
  EXPECT_EQ(read.filter, map.filter);
  EXPECT_EQ(read.time_column, map.time_column);
  EXPECT_EQ(read.range, map.range);
  EXPECT_EQ(read.outputs, map.outputs);
  EXPECT_EQ(read.keys, map.keys);
  EXPECT_EQ(read.drop_null_keys, map.drop_null_keys);
  EXPECT_EQ(read.partitions, map.partitions);
  EXPECT_EQ(read.first_row, map.first_row);
  EXPECT_EQ(read.positions, map.positions);
  EXPECT_EQ(read.batch_rows, map.batch_rows);
  EXPECT_EQ(read.wanted_keys, 2);
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
}

TEST(FragmentMessage, ChainsSurvive) {
  const auto bytes = SerializeFragment(Chain()).ValueOrDie();
  const auto read = std::get<ChainFragment>(ParseFragment(bytes).ValueOrDie());
  ASSERT_EQ(read.steps.size(), 3);
  EXPECT_EQ(std::get<MapFragment>(read.steps[0].fragment).filter, Map().filter);
  EXPECT_EQ(read.steps[1].inputs, Chain().steps[1].inputs);
  EXPECT_EQ(read.outputs, Chain().outputs);
  EXPECT_EQ(OutputCount(read), 2);
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
  EXPECT_EQ(
      OutputCount(ParseFragment(SerializeFragment(ChainFragment{}).ValueOrDie()).ValueOrDie()), 0);
}

TEST(FragmentMessage, RejectsAChainWhoseStepsDoNotFit) {
  const auto rejection = [](const auto& change) {
    ChainFragment chain = Chain();
    change(&chain);
    return Rejection(chain);
  };
  const std::string unknown = "damaged fragment message: no step before puts out what it takes";
  EXPECT_EQ(rejection([](auto* chain) { chain->steps[1].inputs = {{1, 0}}; }), unknown);
  EXPECT_EQ(rejection([](auto* chain) { chain->steps[1].inputs = {{-1, 0}}; }), unknown);
  EXPECT_EQ(rejection([](auto* chain) { chain->steps[2].inputs = {{1, -1}}; }), unknown);
  EXPECT_EQ(rejection([](auto* chain) { chain->outputs = {{2, 1}}; }), unknown);
  EXPECT_EQ(rejection([](auto* chain) { chain->outputs = {{3, 0}}; }), unknown);
  EXPECT_EQ(rejection([](auto* chain) {
              chain->steps.push_back({Chain(), {}});
            }),
            "damaged fragment message: a fragment within its like");
  EXPECT_EQ(rejection([](auto* chain) {
              chain->steps.push_back({Broadcast(), {}});
            }),
            "damaged fragment message: a fragment within its like");
}

TEST(FragmentMessage, BroadcastsSurvive) {
  const auto bytes = SerializeFragment(Broadcast()).ValueOrDie();
  const auto read = std::get<BroadcastFragment>(ParseFragment(bytes).ValueOrDie());
  EXPECT_EQ(read.first_row, 20);
  EXPECT_EQ(read.rows, 30);
  EXPECT_EQ(read.spine_tables, 2);
  EXPECT_EQ(read.spine.first_row, 12);
  EXPECT_EQ(std::get<BroadcastJoin>(read.lookup).join.ttl_us, 77);
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
  BroadcastFragment windows = Broadcast();
  WindowFragment aggregates = Window();
  aggregates.at_spine = true;
  aggregates.spine_parts = 1;
  aggregates.summarize = false;
  aggregates.tasks[0].cut_at_us.clear();
  windows.lookup = aggregates;
  EXPECT_EQ(OutputCount(windows), 2);
  const auto of_windows = SerializeFragment(windows).ValueOrDie();
  EXPECT_EQ(SerializeFragment(ParseFragment(of_windows).ValueOrDie()).ValueOrDie(), of_windows);
}

TEST(FragmentMessage, RejectsABroadcastWhosePartsDoNotFit) {
  const auto rejection = [](const auto& change) {
    BroadcastFragment broadcast = Broadcast();
    change(&broadcast);
    return Rejection(broadcast);
  };
  const auto join = [](BroadcastFragment* broadcast) -> BroadcastJoin& {
    return std::get<BroadcastJoin>(broadcast->lookup);
  };
  const std::string damaged = "damaged fragment message: ";
  EXPECT_EQ(rejection([](auto* each) { each->spine.partitions = 2; }),
            damaged + "the scan of its spine");
  EXPECT_EQ(rejection([](auto* each) { each->spine.first_row.reset(); }),
            damaged + "the scan of its spine");
  EXPECT_EQ(rejection([](auto* each) { each->first_row = 11; }), damaged + "rows of the spine");
  EXPECT_EQ(rejection([](auto* each) { each->rows = -1; }), damaged + "rows of the spine");
  EXPECT_EQ(rejection([&](auto* each) { join(each).join.feature_parts = 2; }),
            damaged + "first rows of its parts");
  EXPECT_EQ(rejection([&](auto* each) { join(each).join.spine_parts = 2; }), damaged + "its join");
  EXPECT_EQ(rejection([&](auto* each) { join(each).features.positions = false; }),
            damaged + "the keys of its features");
  EXPECT_EQ(rejection([&](auto* each) { join(each).gather.rows = 31; }),
            damaged + "the columns of its features");
  EXPECT_EQ(rejection([](auto* each) { each->lookup = Window(); }), damaged + "its windows");
}

TEST(FragmentMessage, AFunctionSurvives) {
  WindowFragment window = Window();
  window.tasks[0].features[0].function = std::make_shared<const PlannedFunction>(
      PlannedFunction{.name = "m:f",
                      .code = R"({"code": "x"})",
                      .columns = {"x", "ts"},
                      .output = "o",
                      .type = arrow::list(arrow::float64())});
  const std::string bytes = SerializeFragment(window).ValueOrDie();
  const auto read = std::get<WindowFragment>(ParseFragment(bytes).ValueOrDie());
  EXPECT_EQ(read.tasks[0].features[1].function, nullptr);
  const PlannedFunction& function = *read.tasks[0].features[0].function;
  EXPECT_EQ(function.ToString(), "m:f(x, ts).o");
  EXPECT_EQ(function.code, R"({"code": "x"})");
  EXPECT_TRUE(function.type->Equals(arrow::list(arrow::float64())));
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
}

TEST(FragmentMessage, ReducesSurvive) {
  const auto window = std::get<WindowFragment>(
      ParseFragment(SerializeFragment(Window()).ValueOrDie()).ValueOrDie());
  ASSERT_EQ(window.tasks.size(), 2u);
  const WindowTask& task = window.tasks[0];
  EXPECT_EQ(task.features[0].expr, "sum(x)");
  EXPECT_EQ(task.features[0].default_value, "0");
  EXPECT_EQ(task.features[0].where.ToString(), "views.yaml:3:9");
  EXPECT_EQ(task.features[1].where.ToString(), "");
  EXPECT_EQ(task.features[1].window, (TimeWindow{.unbounded = true}));
  EXPECT_EQ(task.existence, Window().tasks[0].existence);
  EXPECT_EQ(task.filter, "x > 0");
  EXPECT_EQ(task.having, "count(*) > 1");
  EXPECT_EQ(task.absent, AbsentRows::kNull);
  EXPECT_EQ(task.cutoffs_us, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(task.cut_at_us, (std::vector<int64_t>{2}));
  EXPECT_EQ(window.tasks[1].cutoffs_us, (std::vector<int64_t>{3}));
  EXPECT_EQ(window.summary_parts, 3);
  EXPECT_TRUE(window.summarize);
  const auto join =
      std::get<AsOfFragment>(ParseFragment(SerializeFragment(AsOf()).ValueOrDie()).ValueOrDie());
  EXPECT_EQ(join.spine_parts, 2);
  EXPECT_EQ(join.feature_parts, 3);
  EXPECT_EQ(join.key_count, 1);
  EXPECT_TRUE(join.created_not_after);
  EXPECT_EQ(join.ttl_us, 77);
  EXPECT_EQ(join.grid_us, AsOf().grid_us);
  EXPECT_EQ(join.first_rows, AsOf().first_rows);
  EXPECT_EQ(join.chunks, AsOf().chunks);
}

TEST(FragmentMessage, EveryFieldOfAGatherSurvives) {
  const auto bytes = SerializeFragment(Gather()).ValueOrDie();
  const auto read = std::get<GatherFragment>(ParseFragment(bytes).ValueOrDie());
  ASSERT_EQ(read.parts.size(), 2);
  EXPECT_EQ(read.parts[0].groups, Gather().parts[0].groups);
  EXPECT_TRUE(read.parts[0].constants->Equals(*Constants()));
  EXPECT_TRUE(read.columns->Equals(*Gather().columns));
  EXPECT_EQ(read.file_columns, Gather().file_columns);
  EXPECT_EQ(read.described_as, Gather().described_as);
  EXPECT_EQ(read.outputs, Gather().outputs);
  EXPECT_EQ(read.batch_rows, Gather().batch_rows);
  EXPECT_EQ(read.chunks, Gather().chunks);
  EXPECT_EQ(read.first_row, 500);
  EXPECT_EQ(read.rows, 250);
}

TEST(FragmentMessage, EveryFieldOfAWriteSurvives) {
  const auto bytes = SerializeFragment(Writing()).ValueOrDie();
  const auto read = std::get<WriteFragment>(ParseFragment(bytes).ValueOrDie());
  const WriteFragment write = Writing();
  ASSERT_EQ(read.parts.size(), 2);
  EXPECT_EQ(read.parts[0].groups, write.parts[0].groups);
  EXPECT_EQ(read.file_columns, write.file_columns);
  EXPECT_EQ(read.skipped_rows, 3);
  EXPECT_EQ(read.first_row, 40);
  EXPECT_EQ(read.rows, 20);
  EXPECT_TRUE(read.result->Equals(*write.result, /*check_metadata=*/true));
  ASSERT_EQ(read.lookups.size(), 2);
  EXPECT_EQ(read.lookups[0].tables, 2);
  EXPECT_TRUE(read.lookups[0].columns->Equals(*write.lookups[0].columns));
  EXPECT_EQ(read.lookups[0].missing, MissingRows::kRefused);
  EXPECT_EQ(read.lookups[1].missing, MissingRows::kNull);
  EXPECT_EQ(read.described_as, write.described_as);
  EXPECT_EQ(read.path, write.path);
  EXPECT_EQ(read.format, write.format);
  EXPECT_EQ(read.rows_at_a_time, 7);
  EXPECT_EQ(read.spine_tables, 4);
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
}

TEST(FragmentMessage, RejectsAWriteThatCannotBe) {
  const auto rejection = [](const auto& change) {
    WriteFragment write = Writing();
    change(&write);
    return Rejection(write);
  };
  const std::string columns = "damaged fragment message: columns of its result";
  EXPECT_EQ(rejection([](auto* write) { write->file_columns.pop_back(); }), columns);
  EXPECT_EQ(rejection([](auto* write) { write->lookups.pop_back(); }), columns);
  EXPECT_EQ(rejection([](auto* write) { std::swap(write->lookups[0], write->lookups[1]); }),
            columns);
  const std::string rows = "damaged fragment message: rows of the spine";
  EXPECT_EQ(rejection([](auto* write) { write->rows = -1; }), rows);
  EXPECT_EQ(rejection([](auto* write) { write->first_row = INT64_MAX; }), rows);
  EXPECT_EQ(rejection([](auto* write) { write->rows_at_a_time = 0; }), rows);
  EXPECT_EQ(rejection([](auto* write) { write->spine_tables = -1; }), rows);
  EXPECT_EQ(rejection([](auto* write) { write->format = static_cast<PartFormat>(4); }),
            "damaged fragment message: format of its file");
  EXPECT_EQ(rejection([](auto* write) { write->lookups[0].tables = -1; }),
            "damaged fragment message: number of tables");
  EXPECT_EQ(rejection([](auto* write) { write->path.clear(); }),
            "damaged fragment message: no path");
}

ArrangeFragment Arrange() {
  ArrangeFragment arrange;
  arrange.columns = Columns();
  arrange.chosen = {4, 0, 2};
  arrange.order = {1, 0};
  arrange.distinct = 2;
  arrange.dropped = 1;
  arrange.time_us = -5;
  arrange.time_name = "event_timestamp";
  arrange.most_rows = 0;
  return arrange;
}

TEST(FragmentMessage, EveryFieldOfAnArrangementSurvives) {
  const auto bytes = SerializeFragment(Arrange()).ValueOrDie();
  const auto read = std::get<ArrangeFragment>(ParseFragment(bytes).ValueOrDie());
  EXPECT_TRUE(read.columns->Equals(*Columns()));
  EXPECT_EQ(read.chosen, Arrange().chosen);
  EXPECT_EQ(read.order, Arrange().order);
  EXPECT_EQ(read.distinct, 2);
  EXPECT_EQ(read.dropped, 1);
  EXPECT_EQ(read.time_us, -5);
  EXPECT_EQ(read.time_name, "event_timestamp");
  EXPECT_EQ(read.most_rows, 0);
  EXPECT_EQ(read.parts, 1);
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
  ArrangeFragment cut;
  cut.order = {0};
  cut.parts = 9;
  const auto of_cut = SerializeFragment(cut).ValueOrDie();
  const auto none = std::get<ArrangeFragment>(ParseFragment(of_cut).ValueOrDie());
  EXPECT_EQ(none.columns, nullptr);
  EXPECT_EQ(none.time_us, std::nullopt);
  EXPECT_EQ(none.most_rows, std::nullopt);
  EXPECT_EQ(none.parts, 9);
}

TEST(FragmentMessage, RejectsAnArrangementThatCannotBe) {
  const auto rejection = [](const auto& change) {
    ArrangeFragment arrange = Arrange();
    change(&arrange);
    return Rejection(arrange);
  };
  const std::string column = "damaged fragment message: a column that is none";
  EXPECT_EQ(rejection([](auto* arrange) { arrange->chosen[0] = -1; }), column);
  EXPECT_EQ(rejection([](auto* arrange) { arrange->order[1] = -2; }), column);
  EXPECT_EQ(rejection([](auto* arrange) { arrange->distinct = 3; }),
            "damaged fragment message: columns that are to differ");
  EXPECT_EQ(rejection([](auto* arrange) { arrange->dropped = -1; }),
            "damaged fragment message: columns that are not put out");
  const std::string parts = "damaged fragment message: number of parts";
  EXPECT_EQ(rejection([](auto* arrange) { arrange->parts = 0; }), parts);
  EXPECT_EQ(rejection([](auto* arrange) { arrange->parts = 2; }), parts);
  EXPECT_EQ(rejection([](auto* arrange) { arrange->parts = 1 << 20; }), parts);
}

TEST(FragmentMessage, EveryFieldOfASnapshotSurvives) {
  const auto bytes = SerializeFragment(Snapshot()).ValueOrDie();
  const auto read = std::get<SnapshotFragment>(ParseFragment(bytes).ValueOrDie());
  EXPECT_TRUE(read.keys->Equals(*Snapshot().keys));
  ASSERT_EQ(read.files.size(), 2);
  EXPECT_EQ(read.files[0].cutoff_us, -5);
  EXPECT_EQ(read.files[1].path, "s3://b/0-7.parquet");
  EXPECT_EQ(read.batch_rows, 64);
  EXPECT_EQ(SerializeFragment(read).ValueOrDie(), bytes);
}

TEST(FragmentMessage, RejectsASnapshotThatCannotBe) {
  SnapshotFragment snapshot = Snapshot();
  snapshot.batch_rows = 0;
  EXPECT_EQ(Rejection(snapshot), "damaged fragment message: batch size");
  snapshot = Snapshot();
  snapshot.files[0].path.clear();
  EXPECT_EQ(Rejection(snapshot), "damaged fragment message: no path");
  WindowFragment window = Window();
  window.tasks[0].cut_at_us = {3, 2};
  EXPECT_EQ(Rejection(window), "damaged fragment message: groups of its cutoffs");
  window.tasks[0].cut_at_us = {3};
  window.at_spine = true;
  window.summarize = false;
  window.spine_parts = 1;
  EXPECT_EQ(Rejection(window), "damaged fragment message: groups of its cutoffs");
}

TEST(FragmentMessage, RejectsWhatPointsNowhere) {
  MapFragment map = Map();
  map.keys = {3};
  EXPECT_EQ(Rejection(map), "damaged fragment message: key 3 is no column");
  map = Map();
  map.time_column = 2;
  EXPECT_EQ(Rejection(map), "damaged fragment message: its time is no time");
  map = Map();
  map.partitions = 0;
  EXPECT_EQ(Rejection(map), "damaged fragment message: number of partitions");
  map = Map();
  map.columns = arrow::schema({arrow::field("k", arrow::dictionary(arrow::int8(), arrow::utf8()))});
  EXPECT_EQ(Rejection(map), "damaged fragment message: column \"k\" is neither plain nor coded");
  AsOfFragment join = AsOf();
  join.key_count = 3;
  EXPECT_EQ(Rejection(join), "damaged fragment message: number of feature columns");
  join = AsOf();
  join.features = Columns();
  EXPECT_EQ(Rejection(join), "damaged fragment message: its positions are no int32");
  join = AsOf();
  join.feature_parts = -1;
  EXPECT_EQ(Rejection(join), "damaged fragment message: number of feature parts");
  join = AsOf();
  join.first_rows.pop_back();
  EXPECT_EQ(Rejection(join), "damaged fragment message: first rows of its parts");
  GatherFragment gather = Gather();
  gather.rows = -1;
  EXPECT_EQ(Rejection(gather), "damaged fragment message: rows of the spine");
  gather = Gather();
  gather.outputs = {3};
  EXPECT_EQ(Rejection(gather), "damaged fragment message: output 3 is no column");
  gather = Gather();
  gather.file_columns.pop_back();
  EXPECT_EQ(Rejection(gather),
            "damaged fragment message: columns and names in the file differ in number");
  WindowFragment window = Window();
  window.at_spine = true;
  EXPECT_EQ(Rejection(window), "damaged fragment message: number of spine parts");
  window = Window();
  window.summary_parts = -1;
  EXPECT_EQ(Rejection(window), "damaged fragment message: number of summaries");
  window = Window();
  window.at_spine = true;
  window.spine_parts = 1;
  EXPECT_EQ(Rejection(window), "damaged fragment message: a summary at a spine");
  window = Window();
  window.tasks.clear();
  EXPECT_EQ(Rejection(window), "damaged fragment message: no views to aggregate");
}

// An offset that is wrong by four can lead to 64-bit numbers that are not aligned as such.
TEST(FragmentMessage, SurvivesOffsetsWrongByFour) {
  for (const Fragment& fragment : {Fragment(Map()), Fragment(AsOf()), Fragment(Window()),
                                   Fragment(Gather()), Fragment(Writing())}) {
    const std::string bytes = SerializeFragment(fragment).ValueOrDie();
    for (size_t i = 0; i < bytes.size(); ++i) {
      std::string damaged = bytes;
      damaged[i] ^= 4;
      const auto parsed = ParseFragment(damaged);
      if (!parsed.ok()) EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInput);
    }
  }
}

TEST(FragmentMessage, SurvivesDamage) {
  const std::string bytes = SerializeFragment(Map()).ValueOrDie();
  EXPECT_FALSE(ParseFragment("").ok());
  for (size_t length = 0; length < bytes.size(); length += 3) {
    const auto parsed = ParseFragment(bytes.substr(0, length));
    if (!parsed.ok()) EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInput);
  }
  std::mt19937 random(1);
  for (int round = 0; round < TestRounds(2000); ++round) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << (random() % 8));
    static_cast<void>(ParseFragment(damaged));
  }
}

}  // namespace
}  // namespace viand::engine
