// Window aggregates over partitions that are cut by time: every aggregate against the oracle.
#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include "src/common/test_rounds.h"
#include "src/distributed/local_executor.h"
#include "src/distributed/testing/tables.h"
#include "src/engine/execute.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/window_fixture.h"

namespace viand::distributed {
namespace {

using engine::EventRows;
using engine::Rows;
using engine::window_fixture::Column;
using engine::window_fixture::kFeatures;
using engine::window_fixture::RandomCase;
using engine::window_fixture::RowsIn;

struct HeavyCase {
  explicit HeavyCase(uint64_t seed)
      : random(seed), events(random.Events(20 + random.Below(seed % 4 == 0 ? 3000 : 300))) {
    for (const char* text : kFeatures) {
      // All windows of a view that merges can be cut finely; others keep rows whole.
      if (seed % 2 == 0 && !Merges(text)) continue;
      view.features.push_back(
          {"f" + std::to_string(view.features.size()), text, random.Window(), ""});
    }
    auto fields = events.columns->schema()->fields();
    auto columns = events.columns->columns();
    fields.push_back(arrow::field("k", arrow::int64()));
    columns.push_back(events.keys[0]);
    view.source = testing::ScanOf(arrow::Table::Make(arrow::schema(fields), columns));
    view.keys = {"k"};
    view.timestamp_column = "at";
    view.existence = {.length_us = (1 + random.Below(60)) * 10800000000};
  }

  static bool Merges(const std::string& text) {
    for (const char* holistic : {"per", "gap", "distinct ", "median", "quantile", "mode"}) {
      if (text.find(holistic) != std::string::npos) return false;
    }
    return true;
  }

  RandomCase random;
  EventRows events;
  engine::WindowView view;
};

TEST(HeavyPartition, EveryAggregateEqualsTheOracleAtASpine) {
  for (int seed = 0; seed < TestRoundsOfPlans(8); ++seed) {
    HeavyCase one(seed);
    const int64_t rows = 1 + one.random.Below(40);
    const Column keys = one.random.Keys(rows);
    const Column times = one.random.Times(rows);
    engine::Lookup lookup{.view = one.view, .spine_keys = {"key"}};
    lookup.compute_absent = true;
    for (const auto& feature : one.view.features) lookup.output_names.push_back(feature.name);
    engine::RetrievalPlan plan;
    plan.spine = testing::ScanOf(
        arrow::Table::Make(arrow::schema({arrow::field("key", arrow::int64()),
                                          arrow::field("event_timestamp", times->type())}),
                           {keys, times}),
        "the spine");
    plan.lookups = {lookup};
    const auto executor = MakeLocalExecutor({.threads = 1 + seed % 2});
    const int64_t cut_bytes = 1 + one.random.Below(one.random.Below(2) == 0 ? 2 : 200000);
    const auto result = engine::Retrieve(
        plan, {.executor = executor.get(), .partitions = 1, .cut_bytes = cut_bytes});
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    const auto batch = (*result)->CombineChunksToBatch().ValueOrDie();
    for (int64_t row = 0; row < rows; ++row) {
      const bool none = keys->IsNull(row) || times->IsNull(row);
      for (size_t i = 0; i < one.view.features.size(); ++i) {
        const engine::PlannedFeature& feature = one.view.features[i];
        const Rows in = none ? Rows()
                             : RowsIn(one.events, *expression::ValueAt(*keys, row),
                                      static_cast<const arrow::TimestampArray&>(*times).Value(row),
                                      feature.window);
        const auto call = engine::window_fixture::Parse(feature.expr).calls[0];
        ASSERT_EQ(engine::window_fixture::TextAt(*batch->column(static_cast<int>(i) + 2), row),
                  engine::window_fixture::Text(engine::CallOracle(*call, in)))
            << feature.expr << " seed " << seed << " row " << row << " cut at " << cut_bytes;
      }
    }
  }
}

// Uncut grids equal their oracle (window_aggregate_test.cc).
TEST(HeavyPartition, AGridThatIsCutEqualsOneThatIsNot) {
  for (int seed = 100; seed < 100 + TestRoundsOfPlans(8); ++seed) {
    HeavyCase one(seed);
    if (one.random.Below(2) == 0) one.view.having = "count(* where b) > 2";
    if (one.random.Below(3) == 0) one.view.source.filter = "n <> 3";
    std::vector<int64_t> cutoffs_us;
    for (int i = 0; i < 9; ++i) cutoffs_us.push_back(one.random.Below(60) * 21600000000);
    std::sort(cutoffs_us.begin(), cutoffs_us.end());
    cutoffs_us.erase(std::unique(cutoffs_us.begin(), cutoffs_us.end()), cutoffs_us.end());
    engine::WindowView other = one.view;
    other.source.filter = "b";
    std::vector<engine::BackfillPlan> plans{{one.view, cutoffs_us}, {other, {cutoffs_us[0]}}};
    const auto executor = MakeLocalExecutor({.threads = 1 + seed % 2});
    const auto plain =
        engine::BackfillTogether(plans, {.executor = executor.get(), .partitions = 1}).ValueOrDie();
    const auto cut = engine::BackfillTogether(
        plans, {.executor = executor.get(),
                .partitions = 1,
                .cut_bytes = 1 + one.random.Below(one.random.Below(2) == 0 ? 2 : 200000)});
    ASSERT_TRUE(cut.ok()) << cut.status().ToString();
    for (size_t i = 0; i < plain.size(); ++i) {
      const auto wanted = plain[i].Whole().ValueOrDie();
      const auto found = (*cut)[i].Whole().ValueOrDie();
      EXPECT_TRUE(
          wanted->Equals(*found, arrow::EqualOptions().nans_equal(true).signed_zeros_equal(false)))
          << seed << ": " << wanted->ToString() << found->ToString();
    }
  }
}

}  // namespace
}  // namespace viand::distributed
