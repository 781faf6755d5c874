#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "src/engine/execute.h"
#include "src/engine/execute_fragment.h"
#include "src/engine/grid_chains.h"
#include "src/engine/grid_plan.h"
#include "src/engine/map_stage.h"
#include "src/engine/part_file.h"
#include "src/engine/place_error.h"
#include "src/engine/result_names.h"
#include "src/engine/shared_pass.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/view_columns.h"
#include "src/engine/window_stage.h"

namespace viand::engine {
namespace {

constexpr char kEventTimestamp[] = "event_timestamp";
/// Tables that window fragments put out for groups of cutoffs, at most.
constexpr size_t kMostGroupTables = 16 * 1024;
/// Rows of a cutoff are some part of the events before it: a group has so many events, each counted
/// once a cutoff.
constexpr size_t kEventsAGroup = 4 * 1024 * 1024;

arrow::Status CheckNames(const BackfillPlan& plan) {
  ResultNames names;
  VIAND_RETURN_NOT_OK(names.Add(kEventTimestamp, "the times of the grid"));
  for (const std::string& key : plan.view.keys) VIAND_RETURN_NOT_OK(names.Add(key, "the keys"));
  for (const auto& feature : plan.view.features)
    VIAND_RETURN_NOT_OK(names.Add(feature.name, "the features"));
  return arrow::Status::OK();
}

using Plans = std::vector<BackfillPlan>;

/// One map stage for all views.
arrow::Result<MapRequest> RequestOf(const Plans& plans, const OpenedScan& source,
                                    const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(MapRequest request, SharedRequest(source, ViewsOf(plans)));
  VIAND_ASSIGN_OR_RETURN(const auto read, SelectColumns(source, request.columns));
  const InputSize size{source.RowCount(), source.RowCount() * RowBytesIn(source, *read)};
  request.partitions = plans[0].view.keys.empty() ? 1 : ChoosePartitionCount(size, options);
  return request;
}

using Outputs = std::vector<std::vector<TableReference>>;

/// What window fragments put out, and what it takes to make rows of it.
struct ComputedGrids {
  OpenedScan source;
  std::vector<WindowTask> tasks;
  Outputs outputs;
};

/// The schema of a view's rows: keys have the types that they have in the source.
std::shared_ptr<arrow::Schema> ResultSchema(const arrow::Schema& computed, size_t key_count,
                                            const OpenedScan& source) {
  auto fields = computed.fields();
  for (size_t key = 0; key < key_count; ++key)
    fields[key] = fields[key]->WithType(source.schema->GetFieldByName(fields[key]->name())->type());
  return arrow::schema(std::move(fields));
}

/// What fragments put out for one view.
arrow::Result<SnapshotRows> RowsOf(const ComputedGrids& grids, size_t view, size_t key_count,
                                   const ExecuteOptions& options) {
  Tables parts;
  for (const auto& partition : grids.outputs) {
    VIAND_ASSIGN_OR_RETURN(auto part, options.executor->Fetch(partition[view]));
    parts.push_back(std::move(part));
  }
  auto schema = ResultSchema(*parts[0]->schema(), key_count, grids.source);
  return SnapshotRows(std::move(schema), key_count, std::move(parts), StoredBatchRows(options));
}

/// How many groups a view's cutoffs are dealt out to: enough for all that run at a time, more where
/// there is much to write, and not more tables than an executor can keep the books of.
size_t GroupsOf(size_t cutoffs, int64_t events, size_t partitions, size_t views,
                const ExecuteOptions& options) {
  const auto cores = static_cast<size_t>(std::max(1, options.executor->Parallelism()));
  const size_t least = (cores + views - 1) / views;
  const size_t by_rows = cutoffs * static_cast<size_t>(events) / kEventsAGroup + 1;
  const size_t most = std::max(2 * cores, kMostGroupTables / (partitions * views));
  return std::min({cutoffs, std::max(least, by_rows), most, static_cast<size_t>(kMaxRowChunks)});
}

/// The first cutoff of each group but the first.
std::vector<int64_t> GroupStarts(const std::vector<int64_t>& cutoffs_us, size_t groups) {
  std::vector<int64_t> starts;
  for (size_t group = 1; group < groups; ++group)
    starts.push_back(cutoffs_us[group * cutoffs_us.size() / groups]);
  return starts;
}

arrow::Result<OpenedScan> OpenSource(const Plans& plans, const ExecuteOptions& options) {
  for (const BackfillPlan& plan : plans) VIAND_RETURN_NOT_OK(CheckNames(plan));
  const WindowView& any = plans[0].view;
  VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenScan(any.source, {}, options.executor));
  VIAND_RETURN_NOT_OK(CheckTimeColumn(source, any.timestamp_column));
  return source;
}

arrow::Result<ComputedGrids> ComputeGrids(const Plans& plans, OpenedScan source, bool in_groups,
                                          const ExecuteOptions& options) {
  ComputedGrids grids{.source = std::move(source), .tasks = {}, .outputs = {}};
  VIAND_ASSIGN_OR_RETURN(const MapRequest request, RequestOf(plans, grids.source, options));
  auto mapped_rows = RunMapStage(&grids.source, request, options);
  VIAND_RETURN_NOT_OK(CheckUnchanged(grids.source));
  VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, std::move(mapped_rows));
  WindowStage stage{.prototype = WindowsOf(plans, mapped.schema),
                    .events = std::move(mapped.partitions),
                    .operation = {OperatorKind::kAggregate},
                    .described_as = DescriptionOf(ViewsOf(plans))};
  int64_t events = 0;
  for (const PartitionInputs& partition : stage.events) events += RowsOf(partition);
  for (WindowTask& task : stage.prototype.tasks) {
    if (!in_groups) break;
    const size_t groups =
        GroupsOf(task.cutoffs_us.size(), events, stage.events.size(), plans.size(), options);
    task.cut_at_us = GroupStarts(task.cutoffs_us, groups);
  }
  grids.tasks = stage.prototype.tasks;
  VIAND_ASSIGN_OR_RETURN(grids.outputs, RunWindowStage(std::move(stage), options));
  return grids;
}

arrow::Result<std::vector<SnapshotRows>> RowsOfAll(const Plans& plans,
                                                   const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenSource(plans, options));
  VIAND_ASSIGN_OR_RETURN(const ComputedGrids grids,
                         ComputeGrids(plans, std::move(source), /*in_groups=*/false, options));
  std::vector<SnapshotRows> results;
  for (size_t view = 0; view < plans.size(); ++view) {
    VIAND_ASSIGN_OR_RETURN(SnapshotRows rows,
                           RowsOf(grids, view, plans[0].view.keys.size(), options));
    results.push_back(std::move(rows));
  }
  return results;
}

/// Writes what window fragments put out: a fragment a group of cutoffs.
class SnapshotStage {
 public:
  SnapshotStage(const std::vector<std::vector<std::string>>& paths,
                std::shared_ptr<arrow::Schema> keys, ComputedGrids grids,
                const ExecuteOptions& options)
      : paths_(paths), keys_(std::move(keys)), grids_(std::move(grids)), options_(options) {}

  arrow::Result<std::vector<std::vector<PartFile>>> Run() {
    size_t output = 0;
    for (size_t view = 0; view < paths_.size(); ++view) AddCalls(view, &output);
    VIAND_ASSIGN_OR_RETURN(
        const auto outputs,
        options_.executor->RunStage("store", std::move(calls_), options_.progress, nullptr));
    std::vector<std::vector<PartFile>> files(paths_.size());
    for (size_t call = 0; call < outputs.size(); ++call) {
      VIAND_ASSIGN_OR_RETURN(const auto table, options_.executor->Fetch(outputs[call][0]));
      VIAND_ASSIGN_OR_RETURN(auto written, FilesOf(*table, counts_[call]));
      auto& of_view = files[views_[call]];
      of_view.insert(of_view.end(), written.begin(), written.end());
    }
    return files;
  }

 private:
  void AddCalls(size_t view, size_t* output) {
    const WindowTask& task = grids_.tasks[view];
    size_t cutoff = 0;
    for (size_t group = 0; group <= task.cut_at_us.size(); ++group, ++*output) {
      SnapshotFragment fragment{
          .keys = keys_, .files = {}, .batch_rows = StoredBatchRows(options_)};
      const bool last = group == task.cut_at_us.size();
      for (; cutoff < task.cutoffs_us.size() &&
             (last || task.cutoffs_us[cutoff] < task.cut_at_us[group]);
           ++cutoff)
        fragment.files.push_back({task.cutoffs_us[cutoff], paths_[view][cutoff]});
      views_.push_back(view);
      counts_.push_back(fragment.files.size());
      FragmentCall& call = calls_.emplace_back(FragmentCall{std::move(fragment), {}});
      for (auto& tables : grids_.outputs) {
        // One there must be, for its columns.
        const bool needed = call.inputs.empty() && &tables == &grids_.outputs.back();
        if (needed || tables[*output]->rows() > 0)
          call.inputs.push_back(std::move(tables[*output]));
      }
    }
  }

  const std::vector<std::vector<std::string>>& paths_;
  const std::shared_ptr<arrow::Schema> keys_;
  ComputedGrids grids_;
  const ExecuteOptions& options_;
  std::vector<FragmentCall> calls_;
  std::vector<size_t> views_, counts_;  // by call: of which view, how many files
};

arrow::Result<std::vector<std::vector<PartFile>>> FilesOfAll(
    const Plans& plans, const std::vector<std::vector<std::string>>& paths,
    const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenSource(plans, options));
  VIAND_ASSIGN_OR_RETURN(const bool in_chains, WorthChains(plans, source, options));
  if (in_chains) return RunChains(plans, paths, source, options);
  VIAND_ASSIGN_OR_RETURN(ComputedGrids grids,
                         ComputeGrids(plans, std::move(source), /*in_groups=*/true, options));
  auto keys = StoredKeys(plans, grids.source);
  return SnapshotStage(paths, std::move(keys), std::move(grids), options).Run();
}

}  // namespace

arrow::Result<std::vector<SnapshotRows>> BackfillTogether(const std::vector<BackfillPlan>& plans,
                                                          const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  if (plans.empty()) return std::vector<SnapshotRows>{};
  auto results = RowsOfAll(plans, options);
  if (!results.ok() && plans.size() == 1) return PlacedInView(results.status(), plans[0].view);
  return results;
}

arrow::Result<std::vector<std::vector<PartFile>>> BackfillToFiles(
    const std::vector<BackfillPlan>& plans, const std::vector<std::vector<std::string>>& paths,
    const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  if (plans.empty()) return std::vector<std::vector<PartFile>>{};
  auto results = FilesOfAll(plans, paths, options);
  if (!results.ok() && plans.size() == 1) return PlacedInView(results.status(), plans[0].view);
  return results;
}

arrow::Result<std::shared_ptr<arrow::Table>> Backfill(const BackfillPlan& plan,
                                                      const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const auto rows, BackfillTogether({plan}, options));
  return rows[0].Whole();
}

}  // namespace viand::engine
