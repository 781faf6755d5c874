#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "src/engine/execute.h"
#include "src/engine/map_stage.h"
#include "src/engine/place_error.h"
#include "src/engine/plain_array.h"
#include "src/engine/result_names.h"
#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;

constexpr char kEventTimestamp[] = "event_timestamp";

arrow::Status CheckNames(const BackfillPlan& plan) {
  ResultNames names;
  VIAND_RETURN_NOT_OK(names.Add(kEventTimestamp, "the times of the grid"));
  for (const std::string& key : plan.view.keys) VIAND_RETURN_NOT_OK(names.Add(key, "the keys"));
  for (const auto& feature : plan.view.features)
    VIAND_RETURN_NOT_OK(names.Add(feature.name, "the features"));
  return arrow::Status::OK();
}

TimeRange TimesOf(const std::vector<int64_t>& cutoffs_us) {
  if (cutoffs_us.empty()) return NoTimes();
  return {.min_us = cutoffs_us.front(), .max_us = cutoffs_us.back()};
}

WindowFragment ReducePrototype(const BackfillPlan& plan,
                               const std::shared_ptr<arrow::Schema>& events) {
  WindowFragment fragment;
  fragment.cutoffs_us = plan.cutoffs_us;
  fragment.events = events;
  for (const std::string& key : plan.view.keys) fragment.keys.push_back(events->GetFieldIndex(key));
  fragment.time_column = events->GetFieldIndex(plan.view.timestamp_column);
  fragment.features = plan.view.features;
  fragment.existence = plan.view.existence;
  fragment.having = plan.view.having;
  fragment.described_as = plan.view.source.described_as;
  return fragment;
}

/// Orders by (event_timestamp, keys). No two rows are equal in these, so the order does not depend
/// on the partitions.
arrow::Result<std::shared_ptr<arrow::Table>> Ordered(const std::shared_ptr<arrow::Table>& table,
                                                     size_t key_count) {
  std::vector<cp::SortKey> order{cp::SortKey(arrow::FieldRef(static_cast<int>(key_count)))};
  for (size_t key = 0; key < key_count; ++key)
    order.emplace_back(arrow::FieldRef(static_cast<int>(key)));
  VIAND_ASSIGN_OR_RETURN(auto whole, table->CombineChunks());
  VIAND_ASSIGN_OR_RETURN(auto indices, cp::SortIndices(whole, cp::SortOptions(order)));
  VIAND_ASSIGN_OR_RETURN(auto sorted, cp::Take(whole, indices, cp::TakeOptions::NoBoundsCheck()));
  return sorted.table();
}

arrow::Result<std::shared_ptr<arrow::Table>> WithKeyTypes(std::shared_ptr<arrow::Table> table,
                                                          const OpenedScan& source,
                                                          size_t key_count) {
  for (size_t key = 0; key < key_count; ++key) {
    const int index = static_cast<int>(key);
    const auto type = source.schema->GetFieldByName(table->field(index)->name())->type();
    if (table->field(index)->type()->Equals(*type)) continue;
    arrow::ArrayVector chunks;
    for (const auto& chunk : table->column(index)->chunks()) {
      VIAND_ASSIGN_OR_RETURN(auto restored, RestoreType(chunk, type));
      chunks.push_back(std::move(restored));
    }
    VIAND_ASSIGN_OR_RETURN(
        table, table->SetColumn(index, table->field(index)->WithType(type),
                                std::make_shared<arrow::ChunkedArray>(std::move(chunks), type)));
  }
  return table;
}

arrow::Result<std::shared_ptr<arrow::Table>> ComputeGrid(const BackfillPlan& plan,
                                                         const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  VIAND_RETURN_NOT_OK(CheckNames(plan));
  VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenScan(plan.view.source));
  VIAND_RETURN_NOT_OK(CheckTimeColumn(source, plan.view.timestamp_column));
  MapRequest request;
  VIAND_ASSIGN_OR_RETURN(request.columns, ColumnsOfView(plan.view, source));
  request.keys = plan.view.keys;
  VIAND_ASSIGN_OR_RETURN(request.compared_only, ColumnsComparedOnly(plan.view, source));
  request.drop_null_keys = true;
  request.filter = plan.view.source.filter;
  request.time_column = plan.view.timestamp_column;
  request.range = ReachOf(plan.view, TimesOf(plan.cutoffs_us));
  request.partitions =
      plan.view.keys.empty() ? 1 : ChoosePartitionCount(source.RowCount(), options);
  VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, RunMapStage(&source, request, options));
  const WindowFragment prototype = ReducePrototype(plan, mapped.schema);
  std::vector<FragmentCall> calls;
  for (auto& inputs : mapped.partitions) calls.push_back({prototype, std::move(inputs)});
  VIAND_ASSIGN_OR_RETURN(const auto results,
                         options.executor->RunStage("aggregate " + plan.view.source.described_as,
                                                    std::move(calls), options.progress));
  std::vector<std::shared_ptr<arrow::Table>> parts;
  for (const auto& outputs : results) {
    VIAND_ASSIGN_OR_RETURN(auto part, options.executor->Fetch(outputs[0]));
    parts.push_back(std::move(part));
  }
  VIAND_ASSIGN_OR_RETURN(auto whole, arrow::ConcatenateTables(parts));
  VIAND_ASSIGN_OR_RETURN(auto ordered, Ordered(whole, plan.view.keys.size()));
  return WithKeyTypes(std::move(ordered), source, plan.view.keys.size());
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Table>> Backfill(const BackfillPlan& plan,
                                                      const ExecuteOptions& options) {
  auto table = ComputeGrid(plan, options);
  if (!table.ok()) return PlacedInView(table.status(), plan.view);
  return table;
}

}  // namespace viand::engine
