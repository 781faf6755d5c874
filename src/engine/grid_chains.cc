#include "src/engine/grid_chains.h"

#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/engine/cutoff_groups.h"
#include "src/engine/executor.h"
#include "src/engine/grid_plan.h"
#include "src/engine/map_stage.h"
#include "src/engine/memory_shares.h"
#include "src/engine/part_file.h"

namespace viand::engine {
namespace {

using Plans = std::vector<BackfillPlan>;
using Paths = std::vector<std::vector<std::string>>;

/// What every task may read again.
constexpr int64_t kMostRows = 1024 * 1024;
/// Rows times cutoffs of all views: more is worth the way through partitions.
constexpr int64_t kMostWork = 16 * 1024 * 1024;
constexpr size_t kMostCutoffs = 1024;

size_t CutoffsOf(const Plans& plans) {
  size_t cutoffs = 0;
  for (const BackfillPlan& plan : plans) cutoffs += plan.cutoffs_us.size();
  return cutoffs;
}

/// Of the source; less than 0: none is small.
int64_t MostBytes(const ExecuteOptions& options) {
  if (options.chain_bytes != 0) return options.chain_bytes;
  if (!RunsElsewhere(options) || options.partitions > 0) return -1;
  return SmallBytes(options.executor->MemoryBytes() / std::max(1, options.executor->Parallelism()));
}

/// One fragment that reads what all of them do.
MapFragment Joined(std::vector<FragmentCall> calls) {
  auto& whole = std::get<MapFragment>(calls[0].fragment);
  for (size_t i = 1; i < calls.size(); ++i) {
    for (FilePart& part : std::get<MapFragment>(calls[i].fragment).parts) {
      if (whole.parts.back().path == part.path)
        whole.parts.back().groups.insert(whole.parts.back().groups.end(), part.groups.begin(),
                                         part.groups.end());
      else
        whole.parts.push_back(std::move(part));
    }
  }
  return std::move(whole);
}

/// Tables of the schema as one.
MapFragment AllOf(const std::shared_ptr<arrow::Schema>& schema) {
  MapFragment all;
  all.columns = schema;
  all.file_columns = schema->field_names();
  for (int column = 0; column < schema->num_fields(); ++column) all.outputs.push_back(column);
  return all;
}

class ChainStage {
 public:
  ChainStage(const Plans& plans, const Paths& paths, const OpenedScan& source,
             const ExecuteOptions& options)
      : plans_(plans), paths_(paths), source_(source), options_(options) {}

  arrow::Result<std::vector<std::vector<PartFile>>> Run() {
    std::vector<size_t> next(plans_.size(), 0);
    const auto tasks = static_cast<size_t>(std::max(1, options_.executor->Parallelism()));
    for (const int64_t last_us : LastOfGroups(plans_, source_, tasks))
      VIAND_RETURN_NOT_OK(AddCall(last_us, &next));
    auto stored = options_.executor->RunStage("compute " + DescriptionOf(ViewsOf(plans_)),
                                              std::move(calls_), options_.progress, nullptr);
    VIAND_RETURN_NOT_OK(CheckUnchanged(source_));
    VIAND_RETURN_NOT_OK(stored.status());
    std::vector<std::vector<PartFile>> files(plans_.size());
    for (size_t call = 0; call < stored->size(); ++call) {
      VIAND_ASSIGN_OR_RETURN(const auto table, options_.executor->Fetch((*stored)[call][0]));
      int64_t row = 0;
      for (const Store& store : stores_[call]) {
        const auto count = static_cast<int64_t>(store.files);
        VIAND_ASSIGN_OR_RETURN(auto written, FilesOf(*table->Slice(row, count), store.files));
        std::move(written.begin(), written.end(), std::back_inserter(files[store.view]));
        row += count;
      }
    }
    return files;
  }

 private:
  /// What a step stores.
  struct Store {
    size_t view = 0;
    size_t files = 0;
  };

  /// One task for the cutoffs up to `last_us`; `next` is the first that is left of each plan.
  arrow::Status AddCall(int64_t last_us, std::vector<size_t>* next) {
    Plans group;
    std::vector<Store>& stores = stores_.emplace_back();
    std::vector<SnapshotFragment> snapshots;
    for (size_t view = 0; view < plans_.size(); ++view) {
      BackfillPlan plan{plans_[view].view, {}};
      SnapshotFragment snapshot{.keys = StoredKeys(plans_, source_),
                                .files = {},
                                .batch_rows = StoredBatchRows(options_)};
      const auto& cutoffs_us = plans_[view].cutoffs_us;
      for (size_t& i = (*next)[view]; i < cutoffs_us.size() && cutoffs_us[i] <= last_us; ++i) {
        plan.cutoffs_us.push_back(cutoffs_us[i]);
        snapshot.files.push_back({cutoffs_us[i], paths_[view][i]});
      }
      if (plan.cutoffs_us.empty()) continue;
      stores.push_back({view, plan.cutoffs_us.size()});
      group.push_back(std::move(plan));
      snapshots.push_back(std::move(snapshot));
    }
    VIAND_ASSIGN_OR_RETURN(auto chain, ChainOf(group, std::move(snapshots)));
    calls_.push_back({std::move(chain), {}});
    return arrow::Status::OK();
  }

  arrow::Result<ChainFragment> ChainOf(const Plans& group,
                                       std::vector<SnapshotFragment> snapshots) const {
    OpenedScan scan = source_;
    VIAND_ASSIGN_OR_RETURN(const MapRequest request, SharedRequest(scan, ViewsOf(group)));
    VIAND_ASSIGN_OR_RETURN(PlannedMap planned, PlanMapStage(&scan, request, options_));
    ChainFragment chain;
    std::vector<StepOutput> events;
    if (!planned.calls.empty()) {
      chain.steps.push_back({Joined(std::move(planned.calls)), {}});
      events.push_back({});
    }
    const auto windows = static_cast<int>(chain.steps.size());
    chain.steps.push_back({WindowsOf(group, planned.outputs.schema), std::move(events)});
    std::vector<StepOutput> files;
    for (size_t i = 0; i < snapshots.size(); ++i) {
      files.push_back({static_cast<int>(chain.steps.size()), 0});
      chain.steps.push_back({std::move(snapshots[i]), {{windows, static_cast<int>(i)}}});
    }
    chain.outputs.push_back({static_cast<int>(chain.steps.size()), 0});
    chain.steps.push_back({AllOf(PartFilesSchema()), std::move(files)});
    return chain;
  }

  const Plans& plans_;
  const Paths& paths_;
  const OpenedScan& source_;
  const ExecuteOptions& options_;
  std::vector<FragmentCall> calls_;
  std::vector<std::vector<Store>> stores_;  // by call, in the order of its table
};

}  // namespace

arrow::Result<bool> WorthChains(const Plans& plans, const OpenedScan& source,
                                const ExecuteOptions& options) {
  const int64_t most_bytes = MostBytes(options);
  const size_t cutoffs = CutoffsOf(plans);
  if (most_bytes < 0 || source.table != nullptr || cutoffs == 0 || cutoffs > kMostCutoffs)
    return false;
  VIAND_ASSIGN_OR_RETURN(const MapRequest request, SharedRequest(source, ViewsOf(plans)));
  VIAND_ASSIGN_OR_RETURN(const auto columns, SelectColumns(source, request.columns));
  const int64_t rows = RowsWithin(source, request.time_column, request.range);
  if (rows * RowBytesIn(source, *columns) > most_bytes) return false;
  return options.chain_bytes > 0 ||
         (rows <= kMostRows && rows * static_cast<int64_t>(cutoffs) <= kMostWork);
}

arrow::Result<std::vector<std::vector<PartFile>>> RunChains(const Plans& plans, const Paths& paths,
                                                            const OpenedScan& source,
                                                            const ExecuteOptions& options) {
  return ChainStage(plans, paths, source, options).Run();
}

}  // namespace viand::engine
