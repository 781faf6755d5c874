#include <fmt/format.h>

#include "src/definition/object_readers.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {
namespace {

/// "view" or "view:feature".
arrow::Result<FeatureReference> ParseFeatureReference(const YamlNode& node) {
  FeatureReference reference;
  const size_t colon = node.text.find(':');
  reference.view = {node.text.substr(0, colon), node.where};
  if (colon != std::string::npos) reference.features = {node.text.substr(colon + 1)};
  const bool broken = reference.view.name.empty() ||
                      (colon != std::string::npos && reference.features.front().empty());
  if (!broken) return reference;
  return ErrorAt(node.where, ErrorKind::kDefinition,
                 fmt::format("expected \"view\" or \"view:feature\", got \"{}\"", node.text));
}

arrow::Result<FeatureReference> ReadFeatureReference(const YamlNode& node) {
  if (node.kind == YamlKind::kText) return ParseFeatureReference(node);
  FeatureReference reference;
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(node, "a reference to features",
                                         {"view", "features", "alias", "join_key_map"}));
  VIAND_RETURN_NOT_OK(mapping.Require("view", &reference.view));
  if (const YamlNodePtr features = mapping.Find("features")) {
    VIAND_ASSIGN_OR_RETURN(const auto items,
                           ReadList(features, "a list of names of features", true));
    for (const YamlNodePtr item : items) {
      VIAND_ASSIGN_OR_RETURN(std::string name, ReadText(*item, "the name of a feature"));
      reference.features.push_back(std::move(name));
    }
    if (items.empty()) {
      return ErrorAt(features->where, ErrorKind::kDefinition,
                     "expected at least one feature, got an empty list",
                     "leave \"features\" out to take all features of the view");
    }
  }
  VIAND_RETURN_NOT_OK(mapping.Read("alias", &reference.alias));
  VIAND_RETURN_NOT_OK(mapping.Read("join_key_map", &reference.join_key_map));
  return reference;
}

}  // namespace

arrow::Result<FeatureService> ReadFeatureService(const YamlDocument&, YamlNodePtr node) {
  FeatureService service;
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(*node, "a feature service",
                                         {"name", "features", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&service));
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr features, mapping.Get("features"));
  VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(features, "a list of features"));
  for (const YamlNodePtr item : items) {
    VIAND_ASSIGN_OR_RETURN(FeatureReference reference, ReadFeatureReference(*item));
    service.features.push_back(std::move(reference));
  }
  if (!service.features.empty()) return service;
  return ErrorAt(features->where, ErrorKind::kDefinition,
                 fmt::format("the feature service \"{}\" has no features", service.name));
}

}  // namespace viand::definition
