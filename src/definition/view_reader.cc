#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "src/definition/feature_reader.h"
#include "src/definition/object_readers.h"

namespace viand::definition {
namespace {

arrow::Status ReadFeatures(const YamlDocument& document, const YamlMapping& mapping,
                           FeatureView* view) {
  const YamlNodePtr features = mapping.Find("features");
  const YamlNodePtr schema = mapping.Find("schema");
  if (features != nullptr && schema != nullptr) {
    return ErrorAt(schema->where, ErrorKind::kDefinition,
                   "a feature view has \"features\" or \"schema\", not both",
                   "\"features\" are computed here, \"schema\" names ready columns of the source");
  }
  if (features == nullptr && schema == nullptr) {
    VIAND_RETURN_NOT_OK(mapping.Get("features").status());
  }
  const YamlNodePtr node = features != nullptr ? features : schema;
  if (features != nullptr && node->kind == YamlKind::kMapping) {
    VIAND_ASSIGN_OR_RETURN(view->features, ReadComputedFeatures(document, *node));
  } else {
    VIAND_ASSIGN_OR_RETURN(view->features, ReadFeatureList(document, node));
  }
  if (!view->features.empty()) return arrow::Status::OK();
  return ErrorAt(node->where, ErrorKind::kDefinition,
                 fmt::format("the feature view \"{}\" has no features", view->name));
}

/// Features are computed or ready, and only a computed view has windows and conditions.
arrow::Status CheckOneSort(const YamlMapping& mapping, FeatureView* view) {
  view->computed = view->features.front().IsComputed();
  for (const Feature& feature : view->features) {
    if (feature.IsComputed() == view->computed) continue;
    return ErrorAt(feature.where, ErrorKind::kDefinition,
                   fmt::format("the feature view \"{}\" mixes computed features and ready columns",
                               view->name),
                   "write two views");
  }
  if (view->computed) return arrow::Status::OK();
  for (std::string_view key : {"window", "where", "having", "snapshots"}) {
    const YamlNodePtr node = mapping.Find(key);
    if (node == nullptr) continue;
    return ErrorAt(
        node->where, ErrorKind::kDefinition,
        fmt::format("\"{}\" needs computed features, and those of the feature view \"{}\" are "
                    "ready columns",
                    key, view->name));
  }
  return arrow::Status::OK();
}

arrow::Status ReadTtl(const YamlMapping& mapping, FeatureView* view) {
  const YamlNodePtr node = mapping.Find("ttl");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(view->ttl_us, ReadDuration(*node, "a duration as \"ttl\""));
  return arrow::Status::OK();
}

/// `v2`, as in Feast, or 2.
arrow::Status ReadVersion(const YamlMapping& mapping, FeatureView* view) {
  const YamlNodePtr node = mapping.Find("version");
  if (node == nullptr) return arrow::Status::OK();
  std::string text;
  VIAND_RETURN_NOT_OK(mapping.Read("version", &text));
  const char* first = text.data() + (text.starts_with('v') ? 1 : 0);
  const char* last = text.data() + text.size();
  int32_t number = 0;
  const auto [end, error] = std::from_chars(first, last, number);
  if (error == std::errc() && end == last && number >= 0) {
    view->version = number;
    return arrow::Status::OK();
  }
  return ErrorAt(node->where, ErrorKind::kDefinition,
                 fmt::format("\"{}\" is no version of a feature view", text),
                 "versions are v0, v1, v2, ...; without one, each change takes the next");
}

}  // namespace

arrow::Result<FeatureView> ReadFeatureView(const YamlDocument& document, YamlNodePtr node) {
  FeatureView view;
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(*node, "a feature view",
                                         {"name", "entities", "source", "snapshots", "window",
                                          "where", "having", "features", "schema", "ttl", "online",
                                          "version", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&view));
  VIAND_RETURN_NOT_OK(ReadEntities(mapping, &view.entities));
  VIAND_RETURN_NOT_OK(mapping.Require("source", &view.source));
  Reference snapshots;
  VIAND_RETURN_NOT_OK(mapping.Read("snapshots", &snapshots));
  if (!snapshots.name.empty()) view.snapshots = std::move(snapshots);
  VIAND_RETURN_NOT_OK(ReadOptionalWindow(mapping, "window", &view.window));
  VIAND_RETURN_NOT_OK(ReadOptionalSql(document, mapping, "where", &view.filter));
  VIAND_RETURN_NOT_OK(ReadOptionalSql(document, mapping, "having", &view.having));
  VIAND_RETURN_NOT_OK(ReadFeatures(document, mapping, &view));
  VIAND_RETURN_NOT_OK(CheckOneSort(mapping, &view));
  VIAND_RETURN_NOT_OK(ReadTtl(mapping, &view));
  view.online = !view.computed;
  VIAND_RETURN_NOT_OK(mapping.Read("online", &view.online));
  VIAND_RETURN_NOT_OK(ReadVersion(mapping, &view));
  return view;
}

}  // namespace viand::definition
