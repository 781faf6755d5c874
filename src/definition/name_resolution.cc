#include "src/definition/name_resolution.h"

#include <fmt/ranges.h>

#include <filesystem>
#include <map>

#include "src/common/data_location.h"

namespace viand::definition {
namespace {

arrow::Status Clash(const SourceLocation& where, const std::string& what,
                    const SourceLocation& first) {
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("{}, first at {}", what, first.ToString()));
}

/// `kind` reads "feature views".
template <typename T>
void CheckUniqueNames(const std::vector<T>& objects, std::string_view kind, ErrorList* errors) {
  std::map<std::string_view, const T*> seen;
  for (const T& object : objects) {
    const auto [first, fresh] = seen.emplace(object.name, &object);
    if (fresh) continue;
    errors->Add(Clash(object.where, fmt::format("two {} are named \"{}\"", kind, object.name),
                      first->second->where));
  }
}

}  // namespace

arrow::Status UnknownName(const Reference& reference, std::string_view kind,
                          const std::vector<std::string>& names) {
  std::string hint = names.empty()
                         ? fmt::format("no {} {} defined", kind, kind.ends_with('s') ? "are" : "is")
                         : NearestOrAll(reference.name, names, "there is: ");
  return ErrorAt(reference.where, ErrorKind::kDefinition,
                 fmt::format("unknown {} \"{}\"", kind, reference.name), std::move(hint));
}

std::string NormalPath(const std::string& path) {
  constexpr std::string_view kScheme = "file://";
  const bool has_scheme = path.starts_with(kScheme);
  if (!has_scheme && IsRemotePath(path)) return path;
  return std::filesystem::path(has_scheme ? path.substr(kScheme.size()) : path)
      .lexically_normal()
      .string();
}

void CheckClashes(const Definitions& definitions, ErrorList* errors) {
  CheckUniqueNames(definitions.entities, "entities", errors);
  CheckUniqueNames(definitions.datasets, "datasets", errors);
  CheckUniqueNames(definitions.sources, "sources", errors);
  CheckUniqueNames(definitions.snapshots, "snapshots", errors);
  CheckUniqueNames(definitions.feature_views, "feature views", errors);
  CheckUniqueNames(definitions.labels, "labels", errors);
  CheckUniqueNames(definitions.feature_services, "feature services", errors);
  CheckUniqueNames(definitions.models, "models", errors);
  for (const Labels& labels : definitions.labels) {
    const FeatureView* view = FindByName(definitions.feature_views, labels.name);
    if (view == nullptr) continue;
    errors->Add(Clash(labels.where,
                      fmt::format("labels and a feature view are both named \"{}\"", labels.name),
                      view->where));
  }
  std::map<std::string, const Dataset*> outputs;
  for (const Dataset& dataset : definitions.datasets) {
    const auto [first, fresh] = outputs.emplace(NormalPath(dataset.to), &dataset);
    if (fresh) continue;
    errors->Add(Clash(dataset.where,
                      fmt::format("the datasets \"{}\" and \"{}\" both write {}",
                                  first->second->name, dataset.name, dataset.to),
                      first->second->where));
  }
}

}  // namespace viand::definition
