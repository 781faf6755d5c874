#include "src/engine/window_lookup.h"

#include <arrow/type.h>

#include <string>
#include <utility>

namespace viand::engine {
namespace {

WindowTask TaskOf(const Lookup& lookup, const std::string& filter) {
  const auto& view = std::get<WindowView>(lookup.view);
  return {.filter = filter,
          .features = view.features,
          .existence = view.existence,
          .having = view.having,
          .absent = lookup.compute_absent ? AbsentRows::kCompute : AbsentRows::kNull};
}

}  // namespace

std::vector<PassView> ViewsOf(const LookupPass& pass, const TimeRange& times) {
  std::vector<PassView> views;
  for (const OpenedLookup* opened : pass)
    views.push_back({.view = &std::get<WindowView>(opened->lookup->view), .times = times});
  return views;
}

WindowFragment WindowsOf(const LookupPass& pass, const std::vector<PassView>& views,
                         const std::shared_ptr<arrow::Schema>& events) {
  WindowFragment fragment;
  fragment.at_spine = true;
  fragment.spine_parts = 1;
  fragment.events = events;
  // In the order of the spine's.
  for (const std::string& key : pass[0]->view_keys)
    fragment.keys.push_back(events->GetFieldIndex(key));
  fragment.time_column = events->GetFieldIndex(views[0].view->timestamp_column);
  const std::vector<std::string> filters = FiltersOfTasks(views);
  for (size_t i = 0; i < pass.size(); ++i)
    fragment.tasks.push_back(TaskOf(*pass[i]->lookup, filters[i]));
  fragment.described_as = views[0].view->source.described_as;
  return fragment;
}

}  // namespace viand::engine
