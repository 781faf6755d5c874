#include "src/engine/grid_plan.h"

#include <arrow/type.h>

#include <string>
#include <utility>

#include "src/engine/snapshot_rows.h"
#include "src/engine/time_range.h"

namespace viand::engine {
namespace {

TimeRange TimesOf(const std::vector<int64_t>& cutoffs_us) {
  if (cutoffs_us.empty()) return NoTimes();
  return {.min_us = cutoffs_us.front(), .max_us = cutoffs_us.back()};
}

}  // namespace

std::vector<PassView> ViewsOf(const std::vector<BackfillPlan>& plans) {
  std::vector<PassView> views;
  for (const BackfillPlan& plan : plans)
    views.push_back({.view = &plan.view, .times = TimesOf(plan.cutoffs_us)});
  return views;
}

WindowFragment WindowsOf(const std::vector<BackfillPlan>& plans,
                         const std::shared_ptr<arrow::Schema>& events) {
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

std::shared_ptr<arrow::Schema> StoredKeys(const std::vector<BackfillPlan>& plans,
                                          const OpenedScan& source) {
  arrow::FieldVector fields;
  for (const std::string& key : plans[0].view.keys)
    fields.push_back(source.schema->GetFieldByName(key));
  return arrow::schema(std::move(fields));
}

int64_t StoredBatchRows(const ExecuteOptions& options) {
  return options.chunk_rows > 0 ? options.chunk_rows : SnapshotRows::kBatchRows;
}

}  // namespace viand::engine
