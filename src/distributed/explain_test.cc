#include "src/engine/explain.h"

#include <gtest/gtest.h>

#include "src/distributed/local_executor.h"
#include "src/distributed/process_executor.h"
#include "src/distributed/task_message.h"
#include "src/distributed/testing/tables.h"

namespace viand::distributed {
namespace {

using engine::OperatorKind;
using engine::PlanNode;
using engine::RetrievalPlan;
using testing::Folder;
using testing::LookupOf;
using testing::Micros;
using testing::TableOf;

std::shared_ptr<arrow::Table> Spine() {
  return TableOf({{"k", arrow::int64(), "[1, 2, 3]"}, {"event_timestamp", Micros(), "[9, 9, 9]"}});
}

/// Key 1 has three rows, 2 two, 4 one, which lies in a row group of its own.
engine::Scan Features(const Folder& folder) {
  const auto table = TableOf({{"k", arrow::int64(), "[1, 1, 1, 2, 2, 4]"},
                              {"ts", Micros(), "[1, 2, 3, 4, 5, 100]"},
                              {"v", arrow::int64(), "[1, 2, 3, 4, 5, 6]"}});
  engine::Scan scan;
  scan.files = {folder.WriteParquet(*table, "features.parquet", /*row_group_rows=*/5)};
  scan.described_as = "source s";
  return scan;
}

RetrievalPlan PlanOver(const Folder& folder) {
  RetrievalPlan plan;
  plan.spine = testing::ScanOf(Spine(), "the spine");
  plan.lookups = {LookupOf(Features(folder), {"k"}, {"v"})};
  return plan;
}

const PlanNode& Only(const PlanNode& node) { return node.inputs.at(0); }

engine::FragmentCounters SumOf(const PlanNode& node) { return engine::Sum(*node.measured); }

TEST(Explain, TellsWhatPruningLeaves) {
  const Folder folder;
  const auto executor = MakeLocalExecutor({.threads = 2});
  const PlanNode root =
      engine::ExplainRetrieval(PlanOver(folder), {.executor = executor.get()}).ValueOrDie();
  EXPECT_EQ(root.operation.kind, OperatorKind::kRetrieve);
  EXPECT_EQ(root.rows, 3);
  EXPECT_FALSE(root.measured);
  const PlanNode& join = Only(Only(Only(root)));
  EXPECT_EQ(join.title, "as-of join on k");
  const PlanNode& scan = Only(join);
  EXPECT_EQ(scan.title, "scan source s");
  EXPECT_EQ(scan.rows, 5);
  EXPECT_EQ(scan.scan->found.groups, 2);
  EXPECT_EQ(scan.scan->left.groups, 1);
  EXPECT_EQ(scan.scan->left.files, 1);
  EXPECT_GT(scan.scan->column_bytes, 0);
  EXPECT_LT(scan.scan->column_bytes, scan.scan->left.bytes);  // v is not read by the join
}

TEST(Explain, MeasuresAreTheSameInThreadsAndProcesses) {
  const Folder folder;
  const RetrievalPlan plan = PlanOver(folder);
  const auto threads = MakeLocalExecutor({.threads = 2});
  const auto processes =
      MakeProcessExecutor({.command = {VIAND_FRAGMENT_PROGRAM}, .processes = 2}).ValueOrDie();
  for (engine::Executor* executor :
       {threads.get(), static_cast<engine::Executor*>(processes.get())}) {
    engine::PlanCounters counters;
    const engine::ExecuteOptions options{
        .executor = executor, .partitions = 4, .counters = &counters};
    PlanNode root = engine::ExplainRetrieval(plan, options).ValueOrDie();
    ASSERT_TRUE(engine::Retrieve(plan, options).ok());
    engine::AddMeasures(counters, &root);
    EXPECT_EQ(SumOf(root).rows_out, 3);
    const PlanNode& gather = Only(Only(root));
    EXPECT_EQ(SumOf(gather).rows_out, 2);
    const PlanNode& join = Only(gather);
    EXPECT_EQ(join.measured->fragments.size(), 4U);
    EXPECT_EQ(SumOf(join).rows_in, 3 + 5);
    EXPECT_EQ(SumOf(join).rows_out, 2);
    EXPECT_GT(join.measured->run_us, 0);
    EXPECT_GE(engine::Skew(*join.measured), 1);
    const std::vector<engine::HeavyKey> heaviest = {{"k 1", 3}, {"k 2", 2}};
    EXPECT_EQ(SumOf(join).heaviest, heaviest);
    EXPECT_EQ(SumOf(Only(join)).rows_in, 5);
    EXPECT_EQ(SumOf(Only(join)).rows_out, 5);
  }
}

TEST(Explain, SkewIsTheLargestOverTheMean) {
  EXPECT_EQ(engine::Skew({}), 1);
  EXPECT_EQ(engine::Skew({.fragments = {{.rows_in = 6}, {.rows_in = 2}, {.rows_in = 1}}}), 2);
}

TEST(Explain, TheHeaviestKeysAreFiveByRowsThenName) {
  std::vector<engine::HeavyKey> keys;
  for (const char* name : {"f", "e", "d", "c", "b", "a"}) keys.push_back({name, 1});
  keys.push_back({"g", 2});
  const std::vector<engine::HeavyKey> expected = {{"g", 2}, {"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
  EXPECT_EQ(engine::Heaviest(keys), expected);
}

TEST(Explain, AMessageCarriesTheCounters) {
  TaskResult result;
  result.counters = {.rows_in = 1,
                     .rows_out = 2,
                     .bytes_out = 3,
                     .spilled_bytes = 4,
                     .run_us = 5,
                     .sent_bytes = 7,
                     .heaviest = {{"k 1", 6}}};
  const TaskResult read = ParseResult(SerializeResult(result)).ValueOrDie();
  EXPECT_EQ(read.counters, result.counters);
}

}  // namespace
}  // namespace viand::distributed
