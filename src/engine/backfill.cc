#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "src/engine/execute.h"
#include "src/engine/execute_fragment.h"
#include "src/engine/map_stage.h"
#include "src/engine/place_error.h"
#include "src/engine/result_names.h"
#include "src/engine/shared_pass.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/view_columns.h"
#include "src/engine/window_stage.h"

namespace viand::engine {
namespace {

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

using Plans = std::vector<BackfillPlan>;

std::vector<PassView> ViewsOf(const Plans& plans) {
  std::vector<PassView> views;
  for (const BackfillPlan& plan : plans)
    views.push_back({.view = &plan.view, .times = TimesOf(plan.cutoffs_us)});
  return views;
}

WindowFragment ReducePrototype(const Plans& plans, const std::shared_ptr<arrow::Schema>& events) {
  const WindowView& any = plans[0].view;
  WindowFragment fragment;
  fragment.events = events;
  for (const std::string& key : any.keys) fragment.keys.push_back(events->GetFieldIndex(key));
  fragment.time_column = events->GetFieldIndex(any.timestamp_column);
  std::vector<std::string> filters = FiltersOfTasks(ViewsOf(plans));
  for (size_t i = 0; i < plans.size(); ++i) {
    const BackfillPlan& plan = plans[i];
    fragment.tasks.push_back({.cutoffs_us = plan.cutoffs_us,
                              .filter = std::move(filters[i]),
                              .features = plan.view.features,
                              .existence = plan.view.existence,
                              .having = plan.view.having});
  }
  fragment.described_as = any.source.described_as;
  return fragment;
}

/// One map stage for all views.
arrow::Result<MapRequest> RequestOf(const Plans& plans, const OpenedScan& source,
                                    const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(MapRequest request, SharedRequest(source, ViewsOf(plans)));
  VIAND_ASSIGN_OR_RETURN(const auto read, SelectColumns(source, request.columns));
  const InputSize size{source.RowCount(), source.RowCount() * RowBytes(*read)};
  request.partitions = plans[0].view.keys.empty() ? 1 : ChoosePartitionCount(size, options);
  return request;
}

/// What fragments put out for one view. Keys get the types that they have in the source.
arrow::Result<SnapshotRows> RowsOf(const std::vector<std::vector<TableReference>>& outputs,
                                   size_t view, const OpenedScan& source, size_t key_count,
                                   const ExecuteOptions& options) {
  Tables parts;
  for (const auto& partition : outputs) {
    VIAND_ASSIGN_OR_RETURN(auto part, options.executor->Fetch(partition[view]));
    parts.push_back(std::move(part));
  }
  auto fields = parts[0]->schema()->fields();
  for (size_t key = 0; key < key_count; ++key)
    fields[key] = fields[key]->WithType(source.schema->GetFieldByName(fields[key]->name())->type());
  return SnapshotRows(arrow::schema(std::move(fields)), key_count, std::move(parts),
                      options.chunk_rows > 0 ? options.chunk_rows : SnapshotRows::kBatchRows);
}

arrow::Result<std::vector<SnapshotRows>> ComputeGrids(const Plans& plans,
                                                      const ExecuteOptions& options) {
  for (const BackfillPlan& plan : plans) VIAND_RETURN_NOT_OK(CheckNames(plan));
  const WindowView& any = plans[0].view;
  VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenScan(any.source, {}, options.executor));
  VIAND_RETURN_NOT_OK(CheckTimeColumn(source, any.timestamp_column));
  VIAND_ASSIGN_OR_RETURN(const MapRequest request, RequestOf(plans, source, options));
  auto mapped_rows = RunMapStage(&source, request, options);
  VIAND_RETURN_NOT_OK(CheckUnchanged(source));
  VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, std::move(mapped_rows));
  WindowStage stage{.prototype = ReducePrototype(plans, mapped.schema),
                    .events = std::move(mapped.partitions),
                    .operation = {OperatorKind::kAggregate},
                    .described_as = DescriptionOf(ViewsOf(plans))};
  VIAND_ASSIGN_OR_RETURN(const auto outputs, RunWindowStage(std::move(stage), options));
  std::vector<SnapshotRows> results;
  for (size_t view = 0; view < plans.size(); ++view) {
    VIAND_ASSIGN_OR_RETURN(SnapshotRows rows,
                           RowsOf(outputs, view, source, any.keys.size(), options));
    results.push_back(std::move(rows));
  }
  return results;
}

}  // namespace

arrow::Result<std::vector<SnapshotRows>> BackfillTogether(const std::vector<BackfillPlan>& plans,
                                                          const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  if (plans.empty()) return std::vector<SnapshotRows>{};
  auto results = ComputeGrids(plans, options);
  if (!results.ok() && plans.size() == 1) return PlacedInView(results.status(), plans[0].view);
  return results;
}

arrow::Result<std::shared_ptr<arrow::Table>> Backfill(const BackfillPlan& plan,
                                                      const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const auto rows, BackfillTogether({plan}, options));
  return rows[0].Whole();
}

}  // namespace viand::engine
