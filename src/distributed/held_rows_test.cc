// Spines that plans compute: the executor holds them, the driver sees none of their rows.
#include "src/engine/held_rows.h"

#include <arrow/builder.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "src/distributed/local_executor.h"
#include "src/distributed/process_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/key_rows.h"

namespace viand::distributed {
namespace {

using engine::ExecuteOptions;
using engine::Lookup;
using engine::RetrievalPlan;
using engine::Scan;
using testing::Folder;
using testing::Micros;
using TablePtr = std::shared_ptr<arrow::Table>;

/// Another executor, and the rows of the largest table that the driver asked it for.
class WatchedExecutor final : public engine::Executor {
 public:
  explicit WatchedExecutor(std::unique_ptr<engine::Executor> watched)
      : watched_(std::move(watched)) {}

  int Parallelism() const override { return watched_->Parallelism(); }
  int64_t MemoryBytes() const override { return watched_->MemoryBytes(); }
  std::string StoragePath() const override { return watched_->StoragePath(); }
  arrow::Result<engine::TableReference> Put(TablePtr table) override {
    return watched_->Put(std::move(table));
  }
  arrow::Result<std::vector<std::vector<engine::TableReference>>> RunStage(
      std::string_view name, std::vector<engine::FragmentCall> calls, Progress* progress,
      engine::StageCounters* counters) override {
    return watched_->RunStage(name, std::move(calls), progress, counters);
  }
  arrow::Result<TablePtr> Fetch(const engine::TableReference& reference) override {
    most_fetched = std::max(most_fetched, reference->rows());
    return watched_->Fetch(reference);
  }

  int64_t most_fetched = 0;

 private:
  const std::unique_ptr<engine::Executor> watched_;
};

WatchedExecutor Processes(const Folder& folder) {
  return WatchedExecutor(
      MakeProcessExecutor(
          {.command = {VIAND_FRAGMENT_PROGRAM}, .processes = 2, .storage_path = folder.path()})
          .ValueOrDie());
}

/// Keys that come again and again, one in eleven null, at times that ascend, and a number.
TablePtr Rows(int64_t rows, int64_t keys, const std::string& time) {
  arrow::Int64Builder key, number;
  arrow::TimestampBuilder at(Micros(), arrow::default_memory_pool());
  for (int64_t row = 0; row < rows; ++row) {
    EXPECT_TRUE((row % 11 == 3 ? key.AppendNull() : key.Append(row * 7919 % keys)).ok());
    EXPECT_TRUE(at.Append(1000 + row / 3 * 5).ok());
    EXPECT_TRUE(number.Append(row * row % 1'000'003).ok());
  }
  return arrow::Table::Make(
      arrow::schema({arrow::field("k", arrow::int64()), arrow::field(time, Micros()),
                     arrow::field(time == "ts" ? "v" : "label", arrow::int64())}),
      {*key.Finish(), *at.Finish(), *number.Finish()});
}

Scan FileOf(const Folder& folder, const TablePtr& table, const std::string& name) {
  Scan scan;
  scan.files = {folder.WriteParquet(*table, name, 100)};
  scan.described_as = "source s";
  return scan;
}

Lookup Sums(const Scan& source) {
  engine::WindowView view{.source = source, .keys = {"k"}, .timestamp_column = "ts"};
  view.existence = {.unbounded = true};
  view.features = {{"total", "sum(v)", view.existence, ""}};
  Lookup lookup{.view = view, .spine_keys = {"k"}, .output_names = {"total"}};
  lookup.compute_absent = true;
  return lookup;
}

struct TwoPlans {
  explicit TwoPlans(const Folder& folder) {
    const Scan source = FileOf(folder, Rows(700, 23, "ts"), "source.parquet");
    labels.spine = FileOf(folder, Rows(450, 29, "event_timestamp"), "spine.parquet");
    labels.lookups = {Sums(source)};
    features.lookups = {testing::LookupOf(source, {"k"}, {"v"})};
  }
  RetrievalPlan labels, features;
};

TEST(HeldRows, ASpineThatIsHeldGivesTheRowsOfOneInMemory) {
  const Folder folder;
  TwoPlans plans(folder);
  const auto local = MakeLocalExecutor({.threads = 2});
  RetrievalPlan whole = plans.features;
  whole.spine.table = engine::Retrieve(plans.labels, {.executor = local.get()}).ValueOrDie();
  const auto wanted = engine::Retrieve(whole, {.executor = local.get()}).ValueOrDie();
  for (const int64_t broadcast_bytes : {int64_t{-1}, int64_t{1} << 20}) {
    WatchedExecutor executor = Processes(folder);
    const ExecuteOptions options{.executor = &executor,
                                 .partitions = 3,
                                 .chunk_rows = 100,
                                 .broadcast_bytes = broadcast_bytes};
    const auto held = engine::RetrieveHeld(plans.labels, options).ValueOrDie();
    EXPECT_EQ(held->tables.size(), 5);
    EXPECT_EQ(held->rows(), 450);
    plans.features.spine.held = held;
    // Its chunks begin within those of the first plan.
    ExecuteOptions other = options;
    other.chunk_rows = 130;
    const auto found = engine::Retrieve(plans.features, other).ValueOrDie();
    EXPECT_TRUE(found->Equals(*wanted)) << found->ToString();
    EXPECT_LE(executor.most_fetched, 130) << "only for its columns";
    EXPECT_TRUE(engine::RetrieveAndDrop(plans.features, other).ok());
  }
  plans.features.spine.held =
      engine::RetrieveHeld(plans.labels, {.executor = local.get()}).ValueOrDie();
  EXPECT_TRUE(
      engine::Retrieve(plans.features, {.executor = local.get()}).ValueOrDie()->Equals(*wanted));
}

/// (key, time) of rows with a key; every one, or those within some times.
std::vector<std::pair<int64_t, int64_t>> KeysAndTimes(const arrow::Table& table, int64_t from,
                                                      int64_t to) {
  const auto batch = table.CombineChunksToBatch().ValueOrDie();
  const auto& keys = static_cast<const arrow::Int64Array&>(*batch->column(0));
  const auto& times = static_cast<const arrow::TimestampArray&>(*batch->column(1));
  std::vector<std::pair<int64_t, int64_t>> rows;
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    if (keys.IsValid(row) && times.Value(row) >= from && times.Value(row) <= to)
      rows.emplace_back(keys.Value(row), times.Value(row));
  }
  return rows;
}

constexpr int64_t kEver = std::numeric_limits<int64_t>::max();

std::vector<std::pair<int64_t, int64_t>> Fetched(const engine::HeldRows& held,
                                                 engine::Executor* executor) {
  return KeysAndTimes(*engine::FetchAll(held, executor).ValueOrDie(), -kEver, kEver);
}

TEST(HeldRows, KeysOfARangeAreDistinctAndInOrder) {
  const Folder folder;
  const TablePtr table = Rows(900, 23, "ts");
  const TablePtr other = Rows(200, 40, "ts");
  const Lookup lookup = Sums(FileOf(folder, table, "source.parquet"));
  const Lookup second = Sums(FileOf(folder, other, "other.parquet"));
  engine::KeyTimes wanted{
      .lookups = {&lookup, &second}, .range = {.min_us = 1100, .max_us = 2200}, .time = "t"};
  auto rows = KeysAndTimes(*table, 1100, 2200);
  const auto more = KeysAndTimes(*other, 1100, 2200);
  rows.insert(rows.end(), more.begin(), more.end());
  std::set<std::pair<int64_t, int64_t>> by_time, by_key;
  for (const auto& [key, time] : rows) {
    by_time.emplace(time, key);
    by_key.emplace(key, 2200);
  }
  const auto local = MakeLocalExecutor({.threads = 2});
  WatchedExecutor processes = Processes(folder);
  for (engine::Executor* executor : {local.get(), static_cast<engine::Executor*>(&processes)}) {
    for (const int partitions : {1, 4}) {
      const ExecuteOptions options{.executor = executor, .partitions = partitions};
      wanted.every_row = true;
      auto held = engine::RowsOfKeys(wanted, options).ValueOrDie();
      EXPECT_EQ(held->schema->ToString(), "k: int64\nt: timestamp[us, tz=UTC]");
      EXPECT_EQ(processes.most_fetched, 0);
      std::vector<std::pair<int64_t, int64_t>> flipped;
      for (const auto& [key, time] : Fetched(*held, executor)) flipped.emplace_back(time, key);
      EXPECT_TRUE(std::equal(flipped.begin(), flipped.end(), by_time.begin(), by_time.end()));
      processes.most_fetched = 0;
      wanted.every_row = false;
      held = engine::RowsOfKeys(wanted, options).ValueOrDie();
      EXPECT_EQ(processes.most_fetched, 0);
      const auto found = Fetched(*held, executor);
      EXPECT_TRUE(std::equal(found.begin(), found.end(), by_key.begin(), by_key.end()));
      processes.most_fetched = 0;
    }
  }
}

TEST(HeldRows, KeysOfASpineAreInOrderOfFirstAppearance) {
  const Folder folder;
  const TablePtr table = Rows(900, 61, "at");
  const Scan spine = FileOf(folder, table, "spine.parquet");
  std::vector<std::pair<int64_t, int64_t>> wanted;
  std::set<int64_t> seen;
  for (const auto& [key, time] : KeysAndTimes(*table, -kEver, kEver)) {
    if (seen.insert(key).second) wanted.emplace_back(key, 1000 + 299 * 5);
  }
  WatchedExecutor executor = Processes(folder);
  for (const int partitions : {1, 4}) {
    const ExecuteOptions options{.executor = &executor, .partitions = partitions};
    const auto keys = engine::FirstKeys(spine, "at", {"k"}, std::nullopt, options).ValueOrDie();
    EXPECT_EQ(keys.time_us, 1000 + 299 * 5);
    EXPECT_EQ(executor.most_fetched, 0);
    EXPECT_EQ(Fetched(*keys.rows, &executor), wanted);
    executor.most_fetched = 0;
    const auto none = engine::FirstKeys(spine, "at", {}, 7, options).ValueOrDie();
    const auto one = engine::FetchAll(*none.rows, &executor).ValueOrDie();
    EXPECT_EQ(one->num_rows(), 1);
    EXPECT_EQ(one->schema()->ToString(), "event_timestamp: timestamp[us, tz=UTC]");
    executor.most_fetched = 0;
  }
  const auto missing = engine::FirstKeys(spine, "at", {"kk"}, 7, {.executor = &executor});
  EXPECT_EQ(missing.status().message(), "the spine has no column \"kk\"");
}

TEST(HeldRows, WhatIsLookedAtOfAHeavyKeyIsBounded) {
  const Folder folder;
  const Scan source = FileOf(folder, Rows(60'000, 1, "ts"), "source.parquet");
  WatchedExecutor executor(MakeLocalExecutor({.threads = 2, .memory_bytes = 64 << 20}));
  RetrievalPlan plan;
  plan.spine = FileOf(folder, Rows(3000, 1, "event_timestamp"), "spine.parquet");
  plan.lookups = {Sums(source)};
  const auto parts = engine::RetrieveToFolder(
      plan, folder.path(), {.executor = &executor, .partitions = 1, .cut_bytes = 1 << 16});
  ASSERT_TRUE(parts.ok()) << parts.status().ToString();
  EXPECT_GT(executor.most_fetched, 0);
  EXPECT_LE(executor.most_fetched, 1024) << "of 60,000 events and 3,000 rows";
}

}  // namespace
}  // namespace viand::distributed
