#include "src/definition/service_columns.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "src/definition/name_resolution.h"

namespace viand::definition {
namespace {

arrow::Result<const BoundView*> FindServiceView(const FeatureReference& reference,
                                                const BoundDefinitions& bound) {
  const Definitions& definitions = *bound.definitions;
  const Reference& view = reference.view;
  if (FindByName(definitions.feature_views, view.name) != nullptr) return bound.FindView(view.name);
  if (FindByName(definitions.labels, view.name) != nullptr) {
    return ErrorAt(view.where, ErrorKind::kDefinition,
                   fmt::format("\"{}\" are labels; a label is never a feature", view.name),
                   "a model takes them as \"labels\"");
  }
  return UnknownName(view, "feature view", NamesOf(definitions.feature_views));
}

arrow::Status CheckJoinKeyMap(const FeatureReference& reference, const BoundView& view) {
  for (const auto& [key, column] : reference.join_key_map) {
    if (std::find(view.join_keys.begin(), view.join_keys.end(), key) != view.join_keys.end())
      continue;
    return ErrorAt(
        reference.view.where, ErrorKind::kDefinition,
        fmt::format("join_key_map names \"{}\", which is no join key of the feature view \"{}\"",
                    key, view.view->name),
        NearestOrAll(key, view.join_keys, "its join keys are "));
  }
  return arrow::Status::OK();
}

std::vector<std::string> FeatureNames(const BoundView& view) {
  std::vector<std::string> names;
  for (const BoundFeature& feature : view.features) names.push_back(feature.feature->name);
  return names;
}

arrow::Status AddColumns(const FeatureReference& reference, const std::string& prefix,
                         const BoundView& view, std::vector<ServiceColumn>* columns) {
  const std::vector<std::string> known = FeatureNames(view);
  for (const std::string& name : reference.features.empty() ? known : reference.features) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      return ErrorAt(
          reference.view.where, ErrorKind::kDefinition,
          fmt::format("the feature view \"{}\" has no feature \"{}\"", view.view->name, name),
          NearestOrAll(name, known, "it has "));
    }
    columns->push_back(
        {prefix + name, &reference, &view, view.features[found - known.begin()].foreseen});
  }
  return arrow::Status::OK();
}

}  // namespace

std::vector<std::string> ColumnPrefixes(const FeatureService& service,
                                        const BoundDefinitions& bound) {
  std::vector<std::vector<std::string>> names;
  std::map<std::string, int> count;
  for (const FeatureReference& reference : service.features) {
    names.push_back(reference.features);
    if (const BoundView* view = bound.FindView(reference.view.name);
        view != nullptr && reference.features.empty())
      names.back() = FeatureNames(*view);
    for (const std::string& name : names.back()) ++count[name];
  }
  std::vector<std::string> prefixes(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& alias = service.features[i].alias;
    const bool clashes = std::any_of(names[i].begin(), names[i].end(),
                                     [&](const std::string& name) { return count[name] > 1; });
    if (clashes && !alias.empty()) prefixes[i] = alias + "__";
  }
  return prefixes;
}

std::vector<ServiceColumn> BindService(const FeatureService& service, const BoundDefinitions& bound,
                                       ErrorList* errors) {
  std::vector<ServiceColumn> columns;
  std::set<std::pair<std::string, std::string>> seen;
  const std::vector<std::string> prefixes = ColumnPrefixes(service, bound);
  for (size_t n = 0; n < service.features.size(); ++n) {
    const FeatureReference& reference = service.features[n];
    const auto view = FindServiceView(reference, bound);
    errors->Add(view.status());
    if (!view.ok() || *view == nullptr) continue;
    errors->Add(CheckJoinKeyMap(reference, **view));
    const size_t first = columns.size();
    errors->Add(AddColumns(reference, prefixes[n], **view, &columns));
    for (size_t i = first; i < columns.size(); ++i) {
      if (seen.emplace(reference.view.name, columns[i].name).second) continue;
      errors->Add(ErrorAt(reference.view.where, ErrorKind::kDefinition,
                          fmt::format("the feature service \"{}\" names \"{}:{}\" twice",
                                      service.name, reference.view.name, columns[i].name),
                          "give one of them an alias"));
      break;
    }
  }
  return columns;
}

}  // namespace viand::definition
