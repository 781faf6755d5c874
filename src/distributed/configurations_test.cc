// One plan, one result: whatever the threads, partitions, batches, processes, and whether rows come
// from files or memory.
#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <random>

#include "src/common/test_rounds.h"
#include "src/distributed/local_executor.h"
#include "src/distributed/process_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/as_of_join_oracle.h"
#include "src/engine/execute.h"
#include "src/engine/snapshot_rows.h"

namespace viand::distributed {
namespace {

using engine::AsOfView;
using engine::BackfillPlan;
using engine::ExecuteOptions;
using engine::Lookup;
using engine::RetrievalPlan;
using engine::Scan;
using engine::WindowView;
using testing::Folder;
using testing::LookupOf;
using testing::Micros;
using testing::ScanOf;
using TablePtr = std::shared_ptr<arrow::Table>;

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t Below(int64_t end) { return std::uniform_int_distribution<int64_t>(0, end - 1)(engine_); }

  /// A JSON array of integers below `end`, every tenth null.
  std::string Numbers(int64_t rows, int64_t end) {
    return Array(rows, [&] { return std::to_string(Below(end)); });
  }
  std::string Texts(int64_t rows, int64_t end) {
    return Array(rows, [&] { return "\"k" + std::to_string(Below(end)) + "\""; });
  }

 private:
  template <typename Value>
  std::string Array(int64_t rows, Value&& value) {
    std::string json = "[";
    for (int64_t i = 0; i < rows; ++i)
      json += (i > 0 ? "," : "") + (Below(10) == 0 ? "null" : value());
    return json + "]";
  }
  std::mt19937_64 engine_;
};

TablePtr RandomRows(Random* random, int64_t rows) {
  const auto price =
      testing::TableOf({{"x", arrow::int64(), random->Numbers(rows, 1000)}})->column(0);
  const auto doubles = arrow::compute::Cast(price, arrow::float64())->chunked_array();
  return testing::TableOf(
             {{"a", arrow::int32(), random->Numbers(rows, 7)},
              {"b", arrow::dictionary(arrow::int32(), arrow::utf8()), random->Texts(rows, 3)},
              {"ts", arrow::timestamp(arrow::TimeUnit::MILLI), random->Numbers(rows, 60)},
              {"created", Micros(), random->Numbers(rows, 3)},
              {"q", arrow::int16(), random->Numbers(rows, 9)},
              {"s", arrow::utf8(), random->Texts(rows, 5)}})
      ->AddColumn(6, arrow::field("x", arrow::float64()), doubles)
      .ValueOrDie();
}

TablePtr RandomSpine(Random* random, int64_t rows) {
  return testing::TableOf({{"label", arrow::utf8(), random->Texts(rows, 9)},
                           {"ka", arrow::uint64(), random->Numbers(rows, 8)},
                           {"kb", arrow::large_utf8(), random->Texts(rows, 4)},
                           {"event_timestamp", Micros(), random->Numbers(rows, 70000)}});
}

/// The table as files of a few rows each, in row groups of fewer.
Scan FilesOf(const Folder& folder, const arrow::Table& table, Random* random) {
  Scan scan;
  scan.described_as = "source s";
  int64_t start = 0;
  while (start < table.num_rows() || scan.files.empty()) {
    const int64_t rows = 1 + random->Below(table.num_rows() + 1);
    const std::string name = std::to_string(scan.files.size()) + ".parquet";
    scan.files.push_back(
        folder.WriteParquet(*table.Slice(start, rows), name, 1 + random->Below(20)));
    start += rows;
  }
  return scan;
}

struct Configuration {
  std::string name;
  std::unique_ptr<engine::Executor> executor;
  int partitions = 0;
  int64_t batch_rows = 0;
  int64_t chunk_rows = 0;
  int64_t cut_bytes = 0;
  int64_t broadcast_bytes = 0;
  int64_t chain_bytes = 0;
};

/// Of a source that is always sent whole, or read by each task.
constexpr int64_t kAnySize = int64_t{1} << 40;

std::vector<Configuration> Configurations() {
  std::vector<Configuration> all;
  all.push_back({"1 thread, 1 partition", MakeLocalExecutor({.threads = 1}), 1, 0});
  all.push_back({"1 thread, defaults", MakeLocalExecutor({.threads = 1}), 0, 0});
  all.push_back({"4 threads, 3 partitions, batches of 7", MakeLocalExecutor({.threads = 4}), 3, 7});
  all.push_back(
      {"4 threads, 64 partitions, batches of 1", MakeLocalExecutor({.threads = 4}), 64, 1});
  all.push_back({"2 threads, 3 partitions", MakeLocalExecutor({.threads = 2}), 3, 0});
  all.push_back({"1 thread, cut", MakeLocalExecutor({.threads = 1}), 1, 0, 0, 1});
  all.push_back({"2 threads, 2 partitions, cut", MakeLocalExecutor({.threads = 2}), 2, 5, 0, 4000});
  all.push_back({"3 threads, broadcast, chunks of 7", MakeLocalExecutor({.threads = 3}), 2, 4, 7, 0,
                 kAnySize});
  all.push_back({"2 threads, keys broadcast", MakeLocalExecutor({.threads = 2}), 3, 0, 0, 0, 2000});
  all.push_back({"3 threads, chains, batches of 4, chunks of 7", MakeLocalExecutor({.threads = 3}),
                 2, 4, 7, 0, 0, kAnySize});
  const auto spilling = [](int threads) {
    return MakeLocalExecutor(
        {.threads = threads, .memory_bytes = 1, .temporary_folder = ::testing::TempDir()});
  };
  all.push_back({"1 thread, all spilled", spilling(1), 0, 0});
  all.push_back(
      {"4 threads, 5 partitions, batches of 3, chunks of 9, all spilled", spilling(4), 5, 3, 9});
  return all;
}

std::string Bytes(const arrow::Table& table) {
  const auto batch = table.CombineChunksToBatch().ValueOrDie();
  const auto schema = arrow::ipc::SerializeSchema(*table.schema()).ValueOrDie();
  return schema->ToString() +
         arrow::ipc::SerializeRecordBatch(*batch, arrow::ipc::IpcWriteOptions::Defaults())
             .ValueOrDie()
             ->ToString();
}

/// Runs under every configuration and expects the bytes of the first; returns that one's table.
template <typename Plan, typename Run>
TablePtr RunAll(const Plan& plan, const std::vector<Configuration>& configurations, Run&& run) {
  TablePtr first;
  for (const Configuration& each : configurations) {
    const auto table = run(plan, ExecuteOptions{.executor = each.executor.get(),
                                                .partitions = each.partitions,
                                                .batch_rows = each.batch_rows,
                                                .chunk_rows = each.chunk_rows,
                                                .cut_bytes = each.cut_bytes,
                                                .broadcast_bytes = each.broadcast_bytes});
    EXPECT_TRUE(table.ok()) << each.name << ": " << table.status().ToString();
    if (!table.ok()) return nullptr;
    if (first == nullptr) first = *table;
    EXPECT_EQ(Bytes(*first), Bytes(**table)) << each.name << "\n"
                                             << first->ToString() << (*table)->ToString();
  }
  return first;
}

RetrievalPlan RandomRetrieval(Random* random, const Scan& spine, const Scan& source) {
  Lookup one = LookupOf(source, {"a", "b"}, {"x", "s", "b"});
  one.spine_keys = {"ka", "kb"};
  one.output_names = {"x", "s", "b"};
  auto& view = std::get<AsOfView>(one.view);
  view.ttl_us = random->Below(2) * 1000 * random->Below(20);
  if (random->Below(2) == 0) view.created_column = "created";
  view.created_not_after = !view.created_column.empty() && random->Below(2) == 0;
  if (random->Below(3) == 0) view.grid_us = {5000, 20000, 40000};
  RetrievalPlan plan;
  plan.spine = spine;
  plan.lookups = {one};
  return plan;
}

WindowView RandomView(Random* random, const Scan& source) {
  WindowView view;
  view.source = source;
  if (random->Below(2) == 0) view.source.filter = "q <> 3";
  view.keys =
      random->Below(2) == 0 ? std::vector<std::string>{"a"} : std::vector<std::string>{"b", "a"};
  view.timestamp_column = "ts";
  view.existence = {.length_us = 1000 * (1 + random->Below(30))};
  if (random->Below(3) == 0) view.having = "count(* where q > 1) > 0";
  view.features = {{"n", "count(*)", view.existence, ""},
                   {"total", "sum(q)", {.unbounded = true}, "0"},
                   {"mean", "avg(x where q > 2)", {.length_us = 7000}, ""},
                   {"newest", "last(s)", view.existence, ""},
                   {"kinds", "count(distinct s)", view.existence, ""}};
  return view;
}

/// The rows of the as-of join by its oracle, as indices of feature rows.
std::vector<std::optional<int64_t>> Expected(const RetrievalPlan& plan, const TablePtr& rows,
                                             const TablePtr& spine) {
  const auto& view = std::get<AsOfView>(plan.lookups[0].view);
  const auto column = [](const TablePtr& table, const std::string& name) {
    return arrow::Concatenate(table->GetColumnByName(name)->chunks()).ValueOrDie();
  };
  const auto keys = [&](const TablePtr& table, const std::string& a, const std::string& b) {
    engine::KeyTexts texts;
    for (int64_t i = 0; i < table->num_rows(); ++i) {
      const auto x = table->GetColumnByName(a)->GetScalar(i).ValueOrDie();
      auto y = table->GetColumnByName(b)->GetScalar(i).ValueOrDie();
      if (y->type->id() == arrow::Type::DICTIONARY) {
        y = static_cast<const arrow::DictionaryScalar&>(*y).GetEncodedValue().ValueOrDie();
      }
      texts.push_back(x->is_valid && y->is_valid
                          ? std::optional(x->ToString() + "|" + y->ToString())
                          : std::nullopt);
    }
    return texts;
  };
  engine::AsOfSide left{{}, column(spine, "event_timestamp"), nullptr};
  engine::AsOfSide right{{}, column(rows, "ts"), nullptr};
  if (!view.created_column.empty()) right.created = column(rows, "created");
  return engine::AsOfJoinOracle(left, right, {view.ttl_us, view.created_not_after, view.grid_us},
                                keys(spine, "ka", "kb"), keys(rows, "a", "b"));
}

/// The rows as they are, in the order of their times, or in that of their keys and times.
TablePtr SortedAtRandom(Random* random, const TablePtr& rows) {
  EXPECT_TRUE(arrow::compute::Initialize().ok());
  std::vector<arrow::compute::SortKey> order;
  switch (random->Below(4)) {
    case 0:
      order.emplace_back("a");
      [[fallthrough]];
    case 1:
      order.emplace_back("ts");
      break;
    default:
      return rows;
  }
  const arrow::compute::SortOptions options(order);
  const auto indices = arrow::compute::SortIndices(arrow::Datum(rows), options).ValueOrDie();
  return arrow::compute::Take(rows, indices).ValueOrDie().table();
}

/// What one seed makes: rows, in memory or in files, and a spine.
struct RandomInput {
  explicit RandomInput(uint64_t seed)
      : random(seed),
        rows(SortedAtRandom(&random, RandomRows(&random, random.Below(200)))),
        spine(RandomSpine(&random, random.Below(100))),
        source(seed % 3 == 0 ? ScanOf(rows) : FilesOf(folder, *rows, &random)),
        spine_source(seed % 4 < 2 ? ScanOf(spine) : FilesOf(spine_folder, *spine, &random)) {}

  Random random;
  const Folder folder, spine_folder;
  const TablePtr rows, spine;
  const Scan source, spine_source;
};

/// One that a seed draws: many partitions rarely, for they take long.
Configuration RandomConfiguration(Random* random) {
  const int threads = 1 + static_cast<int>(random->Below(8));
  const int partitions = static_cast<int>(
      random->Below(40) == 0 ? 1024 : 1 + random->Below(random->Below(10) == 0 ? 200 : 9));
  const int64_t batch_rows = int64_t{1} << random->Below(17);
  const int64_t chunk_rows = random->Below(3) == 0 ? 0 : int64_t{1} << random->Below(8);
  const int64_t memory_bytes = random->Below(3) == 0 ? 1 : 0;
  const int64_t sizes[] = {0, 0, kAnySize, 1 + random->Below(4000)};
  const int64_t broadcast_bytes = sizes[random->Below(4)];
  return {std::to_string(threads) + " threads, " + std::to_string(partitions) +
              " partitions, batches of " + std::to_string(batch_rows) + ", chunks of " +
              std::to_string(chunk_rows) + (memory_bytes > 0 ? ", all spilled" : "") +
              ", broadcasts of " + std::to_string(broadcast_bytes),
          MakeLocalExecutor({.threads = threads,
                             .memory_bytes = memory_bytes,
                             .temporary_folder = ::testing::TempDir()}),
          partitions,
          batch_rows,
          chunk_rows,
          0,
          broadcast_bytes};
}

TEST(Configurations, RetrievalsAgreeWithEachOtherAndTheOracle) {
  for (int seed = 0; seed < TestRoundsOfPlans(200); ++seed) {
    SCOPED_TRACE(seed);
    RandomInput input(seed);
    std::vector<Configuration> configurations;
    configurations.push_back({"1 thread, 1 partition", MakeLocalExecutor({.threads = 1}), 1, 0});
    while (configurations.size() < 3) configurations.push_back(RandomConfiguration(&input.random));
    const RetrievalPlan plan = RandomRetrieval(&input.random, input.spine_source, input.source);
    const TablePtr result = RunAll(plan, configurations, engine::Retrieve);
    ASSERT_NE(result, nullptr);
    const auto expected = Expected(plan, input.rows, input.spine);
    for (int64_t i = 0; i < input.spine->num_rows(); ++i) {
      const auto found = result->GetColumnByName("x")->GetScalar(i).ValueOrDie();
      const auto wanted =
          expected[i] ? input.rows->GetColumnByName("x")->GetScalar(*expected[i]).ValueOrDie()
                      : arrow::MakeNullScalar(arrow::float64());
      ASSERT_TRUE(found->Equals(*wanted))
          << i << ": " << found->ToString() << " for " << wanted->ToString();
    }
  }
}

TEST(Configurations, BackfillsAndWindowsAtSpinesAgree) {
  const auto configurations = Configurations();
  for (int seed = 0; seed < TestRoundsOfPlans(20); ++seed) {
    SCOPED_TRACE(seed);
    RandomInput input(seed);
    const WindowView view = RandomView(&input.random, input.source);
    const TablePtr grid =
        RunAll(BackfillPlan{view, {10000, 20000, 45000, 90000}}, configurations, engine::Backfill);
    ASSERT_NE(grid, nullptr);
    // A row of the grid, looked up as a row of a spine, has the same features.
    Lookup lookup{.view = view,
                  .spine_keys = view.keys,
                  .output_names = {"n2", "total2", "mean2", "newest2", "kinds2"}};
    RetrievalPlan plan;
    plan.spine = ScanOf(grid, "the spine");
    plan.lookups = {lookup};
    const TablePtr again = RunAll(plan, configurations, engine::Retrieve);
    ASSERT_NE(again, nullptr);
    const int first = static_cast<int>(view.keys.size()) + 1;
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(again->column(first + i)->Equals(*again->column(first + 5 + i)))
          << again->ToString();
    }
  }
}

/// Views over the same rows by the same keys, with filters and grids of their own.
std::vector<BackfillPlan> RandomViews(Random* random, const Scan& source) {
  std::vector<BackfillPlan> plans;
  for (int i = 0; i < 1 + random->Below(4); ++i) {
    WindowView view = RandomView(random, source);
    const char* filters[] = {"", "q <> 3", "q > 2", "s = 'a' or x < 500", "q > 99"};
    view.source.filter = filters[random->Below(5)];
    if (!plans.empty()) view.keys = plans[0].view.keys;
    std::vector<int64_t> cutoffs_us = {10000, 20000, 45000};
    cutoffs_us.resize(random->Below(4));
    plans.push_back({std::move(view), std::move(cutoffs_us)});
  }
  return plans;
}

/// The rows of a grid as its parts are stored.
arrow::Result<TablePtr> OneByOne(const engine::SnapshotRows& rows,
                                 const std::vector<int64_t>& cutoffs_us) {
  arrow::RecordBatchVector batches;
  for (const int64_t cutoff_us : cutoffs_us) {
    ARROW_ASSIGN_OR_RAISE(const auto of_cutoff, rows.At(cutoff_us));
    ARROW_ASSIGN_OR_RAISE(auto found, of_cutoff->ToRecordBatches());
    batches.insert(batches.end(), found.begin(), found.end());
  }
  ARROW_ASSIGN_OR_RAISE(const auto table, arrow::Table::FromRecordBatches(rows.schema(), batches));
  return table->CombineChunks();
}

TablePtr ReadFile(const std::string& path) {
  auto reader =
      parquet::arrow::OpenFile(*arrow::io::ReadableFile::Open(path), arrow::default_memory_pool());
  return (*reader)->ReadTable().ValueOrDie();
}

/// The rows of a grid as fragments store them, which must be those of `computed`.
void CheckFiles(const std::vector<BackfillPlan>& plans, const std::vector<TablePtr>& computed,
                const Configuration& configuration) {
  const Folder folder;
  std::vector<std::vector<std::string>> paths;
  for (const BackfillPlan& plan : plans) {
    auto& of_view = paths.emplace_back();
    for (const int64_t cutoff_us : plan.cutoffs_us)
      of_view.push_back(fmt::format("{}/{}-{}", folder.path(), paths.size(), cutoff_us));
  }
  const auto files = engine::BackfillToFiles(plans, paths,
                                             {.executor = configuration.executor.get(),
                                              .partitions = configuration.partitions,
                                              .batch_rows = configuration.batch_rows,
                                              .chunk_rows = configuration.chunk_rows,
                                              .cut_bytes = configuration.cut_bytes,
                                              .chain_bytes = configuration.chain_bytes});
  ASSERT_TRUE(files.ok()) << configuration.name << files.status().ToString();
  for (size_t view = 0; view < plans.size(); ++view) {
    ASSERT_EQ((*files)[view].size(), paths[view].size());
    std::vector<TablePtr> tables = {computed[view]->Slice(0, 0)};
    for (size_t i = 0; i < paths[view].size(); ++i) {
      EXPECT_EQ((*files)[view][i].path, paths[view][i]);
      tables.push_back(ReadFile(paths[view][i]));
      EXPECT_EQ((*files)[view][i].rows, tables.back()->num_rows());
    }
    const auto stored = arrow::ConcatenateTables(tables);
    ASSERT_TRUE(stored.ok()) << stored.status().ToString();
    const auto columns = (*stored)->CombineChunksToBatch().ValueOrDie();
    const auto wanted = computed[view]->CombineChunksToBatch().ValueOrDie();
    ASSERT_EQ(columns->num_columns(), wanted->num_columns());
    for (int i = 0; i < columns->num_columns(); ++i) {
      EXPECT_TRUE(columns->column(i)->Equals(wanted->column(i),
                                             arrow::EqualOptions::Defaults().nans_equal(true)))
          << configuration.name << ", column " << wanted->column_name(i);
    }
  }
}

TEST(Configurations, ViewsThatShareAPassAreAsAlone) {
  const auto configurations = Configurations();
  for (int seed = 0; seed < TestRoundsOfPlans(20); ++seed) {
    SCOPED_TRACE(seed);
    RandomInput input(seed);
    const std::vector<BackfillPlan> plans = RandomViews(&input.random, input.source);
    std::vector<TablePtr> alone;
    for (const BackfillPlan& plan : plans) {
      EXPECT_TRUE(engine::ShareAPass(plans[0].view, plan.view));
      alone.push_back(
          engine::Backfill(plan, {.executor = configurations[0].executor.get()}).ValueOrDie());
    }
    for (size_t i = 0; i < plans.size(); ++i) {
      const auto one_of = [i](const auto& all, const ExecuteOptions& options) {
        auto rows = engine::BackfillTogether(all, options);
        return rows.ok() ? OneByOne((*rows)[i], all[i].cutoffs_us) : rows.status();
      };
      const TablePtr together = RunAll(plans, configurations, one_of);
      ASSERT_NE(together, nullptr);
      EXPECT_EQ(Bytes(*together), Bytes(*alone[i])) << i;
    }
    CheckFiles(plans, alone, configurations[seed % configurations.size()]);
    CheckFiles(
        plans, alone,
        {.name = "1 thread, chains", .executor = MakeLocalExecutor({}), .chain_bytes = kAnySize});
  }
}

/// Lookups of these views by the spine's "ka" and "kb"; some compute what is absent.
std::vector<Lookup> LookupsOf(const std::vector<BackfillPlan>& plans) {
  std::vector<Lookup> lookups;
  for (const BackfillPlan& plan : plans) {
    const std::string number = std::to_string(lookups.size());
    Lookup lookup{.view = plan.view, .compute_absent = plan.cutoffs_us.size() == 2};
    for (const std::string& key : plan.view.keys) lookup.spine_keys.push_back("k" + key);
    for (const auto& feature : plan.view.features)
      lookup.output_names.push_back(feature.name + number);
    lookups.push_back(std::move(lookup));
  }
  return lookups;
}

TEST(Configurations, LookupsThatShareAPassAreAsAlone) {
  const auto configurations = Configurations();
  for (int seed = 0; seed < TestRoundsOfPlans(20); ++seed) {
    SCOPED_TRACE(seed);
    RandomInput input(seed);
    std::vector<BackfillPlan> plans = RandomViews(&input.random, input.source);
    RetrievalPlan plan{.spine = input.spine_source, .lookups = LookupsOf(plans)};
    const TablePtr together = RunAll(plan, configurations, engine::Retrieve);
    ASSERT_NE(together, nullptr);
    for (const Lookup& lookup : plan.lookups) {
      const RetrievalPlan one{.spine = input.spine_source, .lookups = {lookup}};
      const TablePtr alone =
          engine::Retrieve(one, {.executor = configurations[0].executor.get()}).ValueOrDie();
      for (const std::string& name : alone->ColumnNames())
        EXPECT_TRUE(alone->GetColumnByName(name)->Equals(*together->GetColumnByName(name))) << name;
    }
  }
}

TEST(Configurations, AViewThatFailsInASharedPassIsNamed) {
  const TablePtr rows =
      testing::TableOf({{"a", arrow::int64(), "[1, 1, 2]"},
                        {"q", arrow::int64(), "[9223372036854775807, 5, 7]"},
                        {"ts", arrow::timestamp(arrow::TimeUnit::MICRO), "[10, 20, 30]"}});
  const TablePtr spine = testing::TableOf(
      {{"ka", arrow::int64(), "[1, 2]"},
       {"event_timestamp", arrow::timestamp(arrow::TimeUnit::MICRO), "[100, 100]"}});
  const auto view = [&](const std::string& name, const std::string& filter, const char* expr) {
    WindowView made{.source = ScanOf(rows), .keys = {"a"}, .timestamp_column = "ts"};
    made.source.filter = filter;
    made.existence = {.unbounded = true};
    made.features = {{"f", expr, made.existence, ""}};
    made.described_as = "feature view \"" + name + "\"";
    return BackfillPlan{std::move(made), {}};
  };
  // Alone each reads other rows: the first fails on none of its own.
  const std::vector<BackfillPlan> good = {view("small", "q < 100", "max(q + 1)"),
                                          view("any", "", "count(*)")};
  const auto configurations = Configurations();
  const TablePtr found = RunAll(RetrievalPlan{.spine = ScanOf(spine), .lookups = LookupsOf(good)},
                                configurations, engine::Retrieve);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->GetColumnByName("f0")->ToString(),
            testing::TableOf({{"f0", arrow::int64(), "[6, 8]"}})->column(0)->ToString());
  std::vector<BackfillPlan> bad = good;
  bad.push_back(view("large", "", "max(q + 1)"));
  for (const Configuration& each : configurations) {
    const auto failed = engine::Retrieve({.spine = ScanOf(spine), .lookups = LookupsOf(bad)},
                                         {.executor = each.executor.get()});
    ASSERT_FALSE(failed.ok());
    EXPECT_NE(failed.status().message().find("feature view \"large\""), std::string::npos)
        << failed.status().ToString();
  }
}

TEST(Configurations, AFreshProcessForEachFragmentGivesTheSame) {
  std::vector<Configuration> configurations = Configurations();
  configurations.resize(1);
  configurations.push_back(
      {"processes", MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM}}).ValueOrDie(), 3, 7});
  configurations.push_back({"processes that write the result",
                            MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM},
                                                 .storage_path = ::testing::TempDir()})
                                .ValueOrDie(),
                            2, 0, 40});
  configurations.push_back({"processes, broadcast",
                            MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM}}).ValueOrDie(),
                            0, 0, 30, 0, kAnySize});
  configurations.push_back({"processes, keys broadcast",
                            MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM},
                                                 .storage_path = ::testing::TempDir()})
                                .ValueOrDie(),
                            2, 0, 0, 0, 1500});
  configurations.push_back({"processes, cut",
                            MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM}}).ValueOrDie(),
                            1, 0, 0, 20000});
  for (uint64_t seed = 100; seed < 104; ++seed) {
    RandomInput input(seed);
    RunAll(RandomRetrieval(&input.random, input.spine_source, input.source), configurations,
           engine::Retrieve);
    const WindowView view = RandomView(&input.random, input.source);
    RunAll(BackfillPlan{view, {10000, 45000}}, configurations, engine::Backfill);
    RunAll(RetrievalPlan{.spine = input.spine_source, .lookups = LookupsOf({{view, {}}})},
           configurations, engine::Retrieve);
    const auto last_of = [](const auto& plans, const ExecuteOptions& options) {
      auto rows = engine::BackfillTogether(plans, options);
      return rows.ok() ? rows->back().Whole() : rows.status();
    };
    RunAll(RandomViews(&input.random, input.source), configurations, last_of);
    configurations.resize(seed == 100 ? 5
                                      : 3);  // what is cut starts many processes: once is enough
  }
}

}  // namespace
}  // namespace viand::distributed
