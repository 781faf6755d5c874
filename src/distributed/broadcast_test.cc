// Where one side of a lookup is small it is sent whole, and the other is not dealt out.
#include <arrow/builder.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <set>

#include "src/distributed/process_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/execute.h"
#include "src/engine/executor.h"
#include "src/engine/explain.h"
#include "src/engine/plan_counters.h"

namespace viand::distributed {
namespace {

using engine::ExecuteOptions;
using engine::Lookup;
using engine::OperatorKind;
using engine::RetrievalPlan;
using engine::WindowView;
using testing::Folder;
using testing::LookupOf;
using testing::Micros;
using TablePtr = std::shared_ptr<arrow::Table>;

/// Keys 0 ... keys - 1 again and again, at times that ascend by step_us, and a number.
TablePtr Rows(int64_t rows, int64_t keys, const std::string& time, int64_t step_us = 5) {
  arrow::Int64Builder key, number;
  arrow::TimestampBuilder at(Micros(), arrow::default_memory_pool());
  for (int64_t row = 0; row < rows; ++row) {
    EXPECT_TRUE(key.Append(row * 7919 % keys).ok());
    EXPECT_TRUE(at.Append(1000 + row * step_us).ok());
    EXPECT_TRUE(number.Append(row * row % 1'000'003).ok());
  }
  return arrow::Table::Make(
      arrow::schema({arrow::field("k", arrow::int64()), arrow::field(time, Micros()),
                     arrow::field(time == "ts" ? "v" : "label", arrow::int64())}),
      {*key.Finish(), *at.Finish(), *number.Finish()});
}

Lookup WindowsOf(const engine::Scan& source) {
  WindowView view{.source = source, .keys = {"k"}, .timestamp_column = "ts"};
  view.existence = {.unbounded = true};
  view.features = {{"total", "sum(v)", view.existence, ""},
                   {"newest", "last(v)", {.length_us = 9000}, ""}};
  return {.view = view, .spine_keys = {"k"}, .output_names = {"total", "newest"}};
}

/// Runs a plan by processes that share storage; adds up the bytes that its operators sent.
struct PlanRun {
  PlanRun(const RetrievalPlan& plan, const Folder& folder, int partitions,
          int64_t broadcast_bytes) {
    const auto executor =
        MakeProcessExecutor(
            {.command = {VIAND_FRAGMENT_PROGRAM}, .processes = 2, .storage_path = folder.path()})
            .ValueOrDie();
    engine::PlanCounters counters;
    const ExecuteOptions options{.executor = executor.get(),
                                 .partitions = partitions,
                                 .broadcast_bytes = broadcast_bytes,
                                 .counters = &counters};
    table = engine::Retrieve(plan, options).ValueOrDie();
    for (const auto& [operation, stage] : counters.Total()) {
      sent += engine::Sum(stage).sent_bytes;
      ran.insert(operation.kind);
    }
    Add(engine::ExplainRetrieval(plan, options).ValueOrDie());
  }
  void Add(const engine::PlanNode& node) {
    explained += node.title + "\n";
    for (const std::string& detail : node.details) explained += "  " + detail + "\n";
    for (const auto& input : node.inputs) Add(input);
  }
  bool Explains(const std::string& text) const { return explained.find(text) != std::string::npos; }

  TablePtr table;
  int64_t sent = 0;
  std::set<OperatorKind> ran;
  std::string explained;
};

TEST(Broadcast, ASmallSourceIsSentToWhereTheSpineIsRead) {
  const Folder folder;
  engine::Scan spine{
      .files = {folder.WriteParquet(*Rows(40'000, 300, "event_timestamp"), "spine.parquet", 3000)},
      .described_as = "the spine"};
  engine::Scan source{.files = {folder.WriteParquet(*Rows(900, 300, "ts"), "s.parquet", 100)},
                      .described_as = "source s"};
  for (const Lookup& lookup : {LookupOf(source, {"k"}, {"v"}), WindowsOf(source)}) {
    RetrievalPlan plan;
    plan.spine = spine;
    plan.lookups = {lookup};
    const PlanRun dealt(plan, folder, 3, -1);
    const PlanRun chosen(plan, folder, 0, 0);
    EXPECT_TRUE(chosen.table->Equals(*dealt.table));
    EXPECT_TRUE(dealt.ran.contains(OperatorKind::kPartitionSpine));
    EXPECT_FALSE(chosen.ran.contains(OperatorKind::kPartitionSpine));
    EXPECT_LT(chosen.sent, dealt.sent);
    const bool as_of = lookup.output_names.size() == 1;
    EXPECT_TRUE(
        chosen.Explains(as_of ? "broadcast as-of join on k" : "broadcast window aggregates"))
        << chosen.explained;
    EXPECT_TRUE(chosen.Explains("the source is sent whole to where the spine is read"));
    EXPECT_FALSE(chosen.Explains("partition the spine"));
    EXPECT_FALSE(dealt.Explains("broadcast")) << dealt.explained;
  }
}

TEST(Broadcast, KeysOfASmallSpineAreSentToWhereTheSourceIsRead) {
  const Folder folder;
  engine::Scan spine{.files = {folder.WriteParquet(*Rows(40, 20'000, "event_timestamp", 8000),
                                                   "spine.parquet", 30)},
                     .described_as = "the spine"};
  engine::Scan source{
      .files = {folder.WriteParquet(*Rows(60'000, 20'000, "ts"), "s.parquet", 20'000)},
      .described_as = "source s"};
  for (const Lookup& lookup : {LookupOf(source, {"k"}, {"v"}), WindowsOf(source)}) {
    RetrievalPlan plan;
    plan.spine = spine;
    plan.spine_timestamp = "event_timestamp";
    plan.lookups = {lookup};
    const PlanRun dealt(plan, folder, 3, -1);
    const PlanRun chosen(plan, folder, 0, 0);
    EXPECT_TRUE(chosen.table->Equals(*dealt.table));
    EXPECT_LT(chosen.sent * 5, dealt.sent);
    EXPECT_TRUE(chosen.Explains("broadcast: rows of the spine's keys alone")) << chosen.explained;
    EXPECT_FALSE(dealt.Explains("broadcast")) << dealt.explained;
  }
}

}  // namespace
}  // namespace viand::distributed
