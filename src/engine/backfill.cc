#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/engine/execute.h"
#include "src/engine/execute_fragment.h"
#include "src/engine/map_stage.h"
#include "src/engine/place_error.h"
#include "src/engine/plain_array.h"
#include "src/engine/result_names.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/view_columns.h"
#include "src/engine/window_stage.h"
#include "src/expression/binder.h"
#include "src/expression/expression.h"

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

std::vector<std::string> FiltersOf(const Plans& plans) {
  std::vector<std::string> filters;
  for (const BackfillPlan& plan : plans) {
    const std::string& filter = plan.view.source.filter;
    if (std::find(filters.begin(), filters.end(), filter) == filters.end())
      filters.push_back(filter);
  }
  return filters;
}

/// What every row that some view wants passes.
std::string CommonFilter(const std::vector<std::string>& filters) {
  std::string either;
  for (const std::string& filter : filters) {
    if (filter.empty()) return "";
    if (filters.size() == 1) return filter;
    either += (either.empty() ? "(" : " or (") + filter + ")";
  }
  return either;
}

WindowFragment ReducePrototype(const Plans& plans, bool filter_each,
                               const std::shared_ptr<arrow::Schema>& events) {
  const WindowView& any = plans[0].view;
  WindowFragment fragment;
  fragment.events = events;
  for (const std::string& key : any.keys) fragment.keys.push_back(events->GetFieldIndex(key));
  fragment.time_column = events->GetFieldIndex(any.timestamp_column);
  for (const BackfillPlan& plan : plans) {
    fragment.tasks.push_back({.cutoffs_us = plan.cutoffs_us,
                              .filter = filter_each ? plan.view.source.filter : "",
                              .features = plan.view.features,
                              .existence = plan.view.existence,
                              .having = plan.view.having});
  }
  fragment.described_as = any.source.described_as;
  return fragment;
}

void AddMissing(const std::vector<std::string>& names, std::vector<std::string>* list) {
  for (const std::string& name : names) {
    if (std::find(list->begin(), list->end(), name) == list->end()) list->push_back(name);
  }
}

/// One map stage for all views: each column that any of them reads, from the rows that any of them
/// wants.
class SharedRequest {
 public:
  explicit SharedRequest(const OpenedScan& source) : source_(source) {}

  arrow::Result<MapRequest> Make(const Plans& plans, const ExecuteOptions& options) {
    const WindowView& any = plans[0].view;
    for (const BackfillPlan& plan : plans) VIAND_RETURN_NOT_OK(Add(plan));
    const std::vector<std::string> filters = FiltersOf(plans);
    if (filters.size() > 1) {
      for (const std::string& filter : filters) VIAND_RETURN_NOT_OK(AddFilter(filter));
    }
    request_.filter = CommonFilter(filters);
    request_.keys = any.keys;
    for (const std::string& name : request_.columns) {
      if (!read_.contains(name)) request_.compared_only.push_back(name);
    }
    request_.drop_null_keys = true;
    request_.time_column = any.timestamp_column;
    request_.range = reach_;
    VIAND_ASSIGN_OR_RETURN(const auto read, SelectColumns(source_, request_.columns));
    const InputSize size{source_.RowCount(), source_.RowCount() * RowBytes(*read)};
    request_.partitions = any.keys.empty() ? 1 : ChoosePartitionCount(size, options);
    return std::move(request_);
  }

 private:
  arrow::Status Add(const BackfillPlan& plan) {
    VIAND_ASSIGN_OR_RETURN(const auto columns, ColumnsOfView(plan.view, source_));
    VIAND_ASSIGN_OR_RETURN(const auto compared, ColumnsComparedOnly(plan.view, source_));
    AddMissing(columns, &request_.columns);
    for (const std::string& name : columns) {
      if (std::find(compared.begin(), compared.end(), name) == compared.end()) read_.insert(name);
    }
    reach_ = Hull(reach_, ReachOf(plan.view, TimesOf(plan.cutoffs_us)));
    return arrow::Status::OK();
  }

  /// The reduce fragments evaluate it.
  arrow::Status AddFilter(const std::string& filter) {
    if (filter.empty()) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(
        const auto bound, expression::ParseAndBind(filter, {.columns = PlainSchema(*source_.schema),
                                                            .described_as = source_.described_as}));
    const auto columns = expression::ColumnsOf(*bound);
    AddMissing(columns, &request_.columns);
    read_.insert(columns.begin(), columns.end());
    return arrow::Status::OK();
  }

  const OpenedScan& source_;
  MapRequest request_;
  std::set<std::string> read_;  ///< columns of which more than equality matters
  TimeRange reach_ = NoTimes();
};

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
  VIAND_ASSIGN_OR_RETURN(const MapRequest request, SharedRequest(source).Make(plans, options));
  auto mapped_rows = RunMapStage(&source, request, options);
  VIAND_RETURN_NOT_OK(CheckUnchanged(source));
  VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, std::move(mapped_rows));
  WindowStage stage{.prototype = ReducePrototype(plans, FiltersOf(plans).size() > 1, mapped.schema),
                    .events = std::move(mapped.partitions),
                    .operation = {OperatorKind::kAggregate}};
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

bool ShareAPass(const WindowView& a, const WindowView& b) {
  const Scan& x = a.source;
  const Scan& y = b.source;
  const bool same_schema = x.schema == nullptr ? y.schema == nullptr
                                               : y.schema != nullptr && x.schema->Equals(*y.schema);
  return x.files == y.files && x.format == y.format && x.table == y.table &&
         x.csv_text == y.csv_text && x.csv_types == y.csv_types && x.renames == y.renames &&
         x.hive_partitions == y.hive_partitions && x.fill_missing == y.fill_missing &&
         same_schema && a.keys == b.keys && a.timestamp_column == b.timestamp_column;
}

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
