#include "src/engine/view_columns.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "src/engine/bind_view.h"
#include "src/engine/plain_array.h"
#include "src/expression/expression.h"

namespace viand::engine {
namespace {

void Add(const std::string& name, std::vector<std::string>* columns) {
  if (std::find(columns->begin(), columns->end(), name) == columns->end()) columns->push_back(name);
}

void AddColumnsOf(const expression::ExpressionPtr& expression, std::vector<std::string>* columns) {
  if (expression == nullptr) return;
  for (const std::string& name : expression::ColumnsOf(*expression)) Add(name, columns);
}

void AddColumnsOf(const expression::AggregateCall& call, std::vector<std::string>* columns) {
  // With `per` the argument reads "$0", ...: a group's values, not the source.
  if (call.per_calls.empty()) AddColumnsOf(call.argument, columns);
  AddColumnsOf(call.where, columns);
  AddColumnsOf(call.order_by, columns);
  for (const auto& key : call.per_keys) AddColumnsOf(key, columns);
  for (const auto& inner : call.per_calls) AddColumnsOf(*inner, columns);
}

void AddColumnsOf(const expression::Aggregation& aggregation, std::vector<std::string>* columns) {
  for (const auto& call : aggregation.calls) AddColumnsOf(*call, columns);
}

// How often a call reads columns, and of these, how often as a bare column whose equality is all
// that matters.
struct Uses {
  std::map<std::string, int> all;
  std::map<std::string, int> compared;

  void Add(const expression::ExpressionPtr& tree, bool only_compared) {
    if (tree == nullptr) return;
    if (only_compared && tree->kind == expression::ExpressionKind::kColumn)
      ++compared[tree->column];
    for (const std::string& name : expression::ColumnsOf(*tree)) ++all[name];
  }
  void Add(const expression::AggregateCall& call) {
    const bool distinct = call.function == expression::AggregateFunction::kCountDistinct;
    if (call.per_calls.empty()) Add(call.argument, distinct);
    Add(call.where, false);
    Add(call.order_by, false);
    for (const auto& key : call.per_keys) Add(key, true);
    for (const auto& inner : call.per_calls) Add(*inner);
  }
};

arrow::Result<WindowSpec> Bind(const WindowView& view, const OpenedScan& source) {
  return BindWindowSpec(view.features, view.existence, view.having, PlainSchema(*source.schema),
                        source.described_as);
}

void Extend(const TimeWindow& window, const TimeRange& times, TimeRange* reach) {
  const int64_t length = window.length_us;
  if (window.unbounded || !reach->min_us || !times.min_us) {
    reach->min_us.reset();
  } else if (!window.following) {
    reach->min_us = std::min(*reach->min_us, Shifted(*times.min_us, -length));
  }
  if (window.following && reach->max_us)
    reach->max_us = std::max(*reach->max_us, Shifted(*times.max_us, length));
}

}  // namespace

arrow::Result<std::vector<std::string>> ColumnsOfView(const WindowView& view,
                                                      const OpenedScan& source) {
  VIAND_ASSIGN_OR_RETURN(const WindowSpec spec, Bind(view, source));
  std::vector<std::string> columns = view.keys;
  Add(view.timestamp_column, &columns);
  for (const WindowFeature& feature : spec.features) {
    AddColumnsOf(feature.aggregation, &columns);
    if (feature.function == nullptr) continue;
    for (const std::string& column : feature.function->columns) Add(column, &columns);
  }
  if (spec.having) AddColumnsOf(*spec.having, &columns);
  return columns;
}

arrow::Result<std::vector<std::string>> ColumnsComparedOnly(const WindowView& view,
                                                            const OpenedScan& source) {
  VIAND_ASSIGN_OR_RETURN(const WindowSpec spec, Bind(view, source));
  Uses uses;
  for (const WindowFeature& feature : spec.features) {
    for (const auto& call : feature.aggregation.calls) uses.Add(*call);
    if (feature.function == nullptr) continue;
    for (const std::string& column : feature.function->columns) ++uses.all[column];
  }
  if (spec.having) {
    for (const auto& call : spec.having->calls) uses.Add(*call);
  }
  std::vector<std::string> columns;
  for (const auto& [name, count] : uses.compared) {
    if (uses.all[name] == count) columns.push_back(name);
  }
  return columns;
}

TimeRange ReachOf(const WindowView& view, const TimeRange& times) {
  if (times.IsEmpty()) return times;
  TimeRange reach = times;
  Extend(view.existence, times, &reach);
  for (const PlannedFeature& feature : view.features) Extend(feature.window, times, &reach);
  return reach;
}

TimeRange ReachOf(const AsOfView& view, const TimeRange& times) {
  if (times.IsEmpty()) return times;
  TimeRange reach{.min_us = std::nullopt, .max_us = times.max_us};
  if (view.ttl_us > 0 && times.min_us) reach.min_us = Shifted(*times.min_us, -view.ttl_us);
  if (!view.grid_us.empty() && times.min_us) {
    const auto after = std::upper_bound(view.grid_us.begin(), view.grid_us.end(), *times.min_us);
    if (after != view.grid_us.begin())
      reach.min_us = std::max(reach.min_us.value_or(*(after - 1)), *(after - 1));
  }
  return reach;
}

arrow::Status CheckTimeColumn(const OpenedScan& scan, const std::string& name) {
  VIAND_ASSIGN_OR_RETURN(const auto schema, SelectColumns(scan, {name}));
  const auto& type = *schema->field(0)->type();
  if (IsTimeType(type)) return arrow::Status::OK();
  return MakeError(ErrorKind::kInput,
                   fmt::format("column \"{}\" of {} is {}, expected a timestamp or a date", name,
                               scan.described_as, type.ToString()),
                   "convert it to a timestamp where the data is made");
}

}  // namespace viand::engine
