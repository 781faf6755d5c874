#include "src/definition/validation.h"

#include <algorithm>

#include "src/definition/base_rows.h"
#include "src/definition/dataset_binding.h"
#include "src/definition/join_keys.h"
#include "src/definition/model_checks.h"
#include "src/definition/name_resolution.h"
#include "src/definition/view_binding.h"
#include "src/definition/view_order.h"
#include "src/definition/warnings.h"

namespace viand::definition {
namespace {

/// A source that a grid is laid over.
arrow::Status CheckGrid(const Snapshots& snapshots, const Definitions& definitions) {
  return Resolve(definitions.sources, snapshots.source, "source").status();
}

/// Binds views upstream first, each into its place in the order of the definitions.
void BindViews(const Definitions& definitions, const BaseRowsFinder& base_rows,
               BoundDefinitions* bound, ErrorList* errors) {
  for (const FeatureView& view : definitions.feature_views) {
    bound->views.emplace_back();
    bound->views.back().view = &view;
  }
  for (const size_t i : OrderViews(definitions, errors)) {
    bound->views[i] = BindView(definitions.feature_views[i], definitions, base_rows, errors);
  }
}

}  // namespace

const BoundView* BoundDefinitions::FindView(const std::string& name) const {
  const auto found = std::find_if(views.begin(), views.end(),
                                  [&](const BoundView& view) { return view.view->name == name; });
  return found == views.end() ? nullptr : &*found;
}

const BoundView* BoundDefinitions::FindLabels(const std::string& name) const {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [&](const BoundView& view) { return view.labels->name == name; });
  return found == labels.end() ? nullptr : &*found;
}

arrow::Result<BoundDefinitions> Validate(const std::shared_ptr<const Definitions>& definitions,
                                         const SchemaOnDisk& schema_on_disk) {
  ErrorList errors;
  BoundDefinitions bound;
  bound.definitions = definitions;
  CheckClashes(*definitions, &errors);
  for (const Entity& entity : definitions->entities) errors.Add(CheckValueTypes(entity));
  for (const Dataset& dataset : definitions->datasets) {
    bound.datasets.push_back(BindDeclared(dataset, &errors));
  }
  BaseRowsFinder base_rows(&bound, &schema_on_disk);
  base_rows.BindSources(&errors);
  for (const Snapshots& snapshots : definitions->snapshots) {
    errors.Add(CheckGrid(snapshots, *definitions));
  }
  BindViews(*definitions, base_rows, &bound, &errors);
  for (const Labels& labels : definitions->labels) {
    bound.labels.push_back(BindLabels(labels, *definitions, base_rows, &errors));
  }
  ServiceColumns services;
  for (const FeatureService& service : definitions->feature_services) {
    const size_t errors_before = errors.size();
    std::vector<ServiceColumn> columns = BindService(service, bound, &errors);
    if (errors.size() == errors_before) services[service.name] = std::move(columns);
  }
  for (const Model& model : definitions->models) {
    CheckModel(model, bound, services, schema_on_disk, &errors);
  }
  VIAND_RETURN_NOT_OK(errors.Finish());
  const auto typed = [](const BoundView& view) { return view.output != nullptr; };
  bound.complete = std::all_of(bound.views.begin(), bound.views.end(), typed) &&
                   std::all_of(bound.labels.begin(), bound.labels.end(), typed);
  bound.warnings = FindWarnings(bound, services);
  return bound;
}

}  // namespace viand::definition
