#include "src/definition/validation.h"

#include <algorithm>

#include "src/definition/base_rows.h"
#include "src/definition/dataset_binding.h"
#include "src/definition/join_keys.h"
#include "src/definition/label_spine.h"
#include "src/definition/model_checks.h"
#include "src/definition/name_resolution.h"
#include "src/definition/view_binding.h"
#include "src/definition/view_order.h"
#include "src/definition/warnings.h"

namespace viand::definition {
namespace {

/// Binds what is declared; where that is not enough and nothing is ingested yet, checks against the
/// headers of the raw files too.
BoundDataset BindAhead(const Dataset& dataset, const FilesOnDisk& files, ErrorList* errors) {
  const size_t errors_before = errors->size();
  BoundDataset declared = BindDeclared(dataset, nullptr, errors);
  if (declared.raw != nullptr || errors->size() > errors_before) return declared;
  const auto ingested = files.parquet(dataset.to);
  if (!ingested.ok() || *ingested != nullptr) return declared;
  // Raw files that cannot be read are for ingest to refuse.
  const auto header = files.raw(dataset).ValueOr(nullptr);
  return header == nullptr ? declared : BindDeclared(dataset, header, errors);
}

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
                                         const FilesOnDisk& files) {
  ErrorList errors;
  BoundDefinitions bound;
  bound.definitions = definitions;
  CheckClashes(*definitions, &errors);
  for (const Entity& entity : definitions->entities) errors.Add(CheckValueTypes(entity));
  for (const Dataset& dataset : definitions->datasets) {
    bound.datasets.push_back(BindAhead(dataset, files, &errors));
  }
  BaseRowsFinder base_rows(&bound, &files);
  base_rows.BindSources(&errors);
  for (const Snapshots& snapshots : definitions->snapshots) {
    errors.Add(CheckGrid(snapshots, *definitions));
  }
  BindViews(*definitions, base_rows, &bound, &errors);
  for (const Labels& labels : definitions->labels) {
    bound.labels.push_back(BindLabels(labels, *definitions, base_rows, &errors));
    CheckLabelSpine(bound.labels.back(), files, &errors);
  }
  ServiceColumns services;
  for (const FeatureService& service : definitions->feature_services) {
    const size_t errors_before = errors.size();
    std::vector<ServiceColumn> columns = BindService(service, bound, &errors);
    if (errors.size() == errors_before) services[service.name] = std::move(columns);
  }
  for (const Model& model : definitions->models) {
    CheckModel(model, bound, services, files.spine, &errors);
  }
  VIAND_RETURN_NOT_OK(errors.Finish());
  const auto typed = [](const BoundView& view) { return view.output != nullptr; };
  bound.complete = std::all_of(bound.views.begin(), bound.views.end(), typed) &&
                   std::all_of(bound.labels.begin(), bound.labels.end(), typed);
  bound.warnings = FindWarnings(bound, services);
  return bound;
}

}  // namespace viand::definition
