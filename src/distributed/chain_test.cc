// Where a grid is made of little data, each task reads the source itself.
#include <arrow/builder.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <mutex>

#include "src/distributed/process_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/execute.h"
#include "src/engine/executor.h"

namespace viand::distributed {
namespace {

using engine::BackfillPlan;
using testing::Folder;
using testing::Micros;

/// What stages there were, and of how many fragments.
class Stages : public Progress {
 public:
  void Begin(std::string_view stage, int64_t total, std::string_view /*unit*/) override {
    const std::lock_guard lock(mutex_);
    said += fmt::format("{}: {}\n", stage, total);
  }
  void Advance(int64_t /*count*/) override {}
  void End() override {}

  std::string said;

 private:
  std::mutex mutex_;
};

std::string Events(const Folder& folder, int64_t rows) {
  arrow::Int64Builder key, number;
  arrow::TimestampBuilder at(Micros(), arrow::default_memory_pool());
  for (int64_t row = 0; row < rows; ++row) {
    EXPECT_TRUE(key.Append(row * 7919 % 300).ok());
    EXPECT_TRUE(at.Append(row).ok());
    EXPECT_TRUE(number.Append(row * row % 1'000'003).ok());
  }
  return folder.WriteParquet(*arrow::Table::Make(arrow::schema({arrow::field("k", arrow::int64()),
                                                                arrow::field("ts", Micros()),
                                                                arrow::field("v", arrow::int64())}),
                                                 {*key.Finish(), *at.Finish(), *number.Finish()}),
                             "s.parquet", 10'000);
}

std::vector<BackfillPlan> Plans(const std::string& file) {
  engine::WindowView sums{.source = {.files = {file}, .described_as = "source s"},
                          .keys = {"k"},
                          .timestamp_column = "ts",
                          .existence = {.length_us = 30'000}};
  sums.described_as = "feature view \"sums\"";
  sums.features = {{"total", "sum(v)", sums.existence, ""}};
  engine::WindowView middles = sums;
  middles.described_as = "feature view \"middles\"";
  middles.source.filter = "v > 1000";
  middles.features = {{"middle", "median(v)", {.unbounded = true}, ""}};
  return {{sums, {20'000, 50'000, 80'000}}, {middles, {50'000, 60'000, 80'000, 90'000}}};
}

struct Stored {
  std::string stages;
  std::vector<std::string> files;  ///< the bytes of each
};

/// By processes that share storage.
Stored StoreAll(const std::vector<BackfillPlan>& plans, const Folder& folder, int partitions) {
  const auto executor =
      MakeProcessExecutor(
          {.command = {VIAND_FRAGMENT_PROGRAM}, .processes = 2, .storage_path = folder.path()})
          .ValueOrDie();
  std::vector<std::vector<std::string>> paths;
  for (const BackfillPlan& plan : plans) {
    auto& of_view = paths.emplace_back();
    for (const int64_t cutoff_us : plan.cutoffs_us)
      of_view.push_back(
          fmt::format("{}/{}-{}-{}", folder.path(), partitions, paths.size(), cutoff_us));
  }
  Stages stages;
  const auto parts = engine::BackfillToFiles(
      plans, paths, {.executor = executor.get(), .partitions = partitions, .progress = &stages});
  EXPECT_TRUE(parts.ok()) << parts.status().ToString();
  Stored stored{.stages = stages.said, .files = {}};
  for (size_t view = 0; view < paths.size(); ++view) {
    EXPECT_EQ((*parts)[view].size(), paths[view].size());
    for (size_t i = 0; i < paths[view].size(); ++i) {
      EXPECT_EQ((*parts)[view][i].path, paths[view][i]);
      std::ifstream file(paths[view][i], std::ios::binary);
      stored.files.emplace_back(std::istreambuf_iterator<char>(file),
                                std::istreambuf_iterator<char>());
      EXPECT_EQ((*parts)[view][i].bytes, static_cast<int64_t>(stored.files.back().size()));
    }
  }
  return stored;
}

TEST(Chain, TasksOfAFewCutoffsEachStoreTheSameFiles) {
  const Folder folder;
  const auto plans = Plans(Events(folder, 100'000));
  const Stored dealt = StoreAll(plans, folder, 3);
  const Stored chained = StoreAll(plans, folder, 0);
  EXPECT_EQ(chained.stages, "compute feature view \"sums\", feature view \"middles\": 2\n");
  EXPECT_NE(dealt.stages.find("store: "), std::string::npos) << dealt.stages;
  EXPECT_EQ(chained.files, dealt.files);
}

TEST(Chain, AnErrorOfTheDataIsTheSame) {
  const Folder folder;
  const std::string file = Events(folder, 1000);
  auto plans = Plans(file);
  plans.pop_back();
  plans[0].view.features[0].expr = "sum(v * 9000000000000000)";
  const auto failure = [&](int partitions) {
    const auto executor =
        MakeProcessExecutor(
            {.command = {VIAND_FRAGMENT_PROGRAM}, .processes = 2, .storage_path = folder.path()})
            .ValueOrDie();
    return engine::BackfillToFiles(
               plans, {{folder.path() + "/a", folder.path() + "/b", folder.path() + "/c"}},
               {.executor = executor.get(), .partitions = partitions})
        .status()
        .message();
  };
  EXPECT_NE(failure(0), "");
  EXPECT_EQ(failure(0), failure(1));
}

}  // namespace
}  // namespace viand::distributed
