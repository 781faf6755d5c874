#include <fmt/format.h>

#include "src/definition/feature_reader.h"
#include "src/definition/object_readers.h"

namespace viand::definition {
namespace {

arrow::Status ReadPopulation(const YamlMapping& mapping, Labels* labels) {
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr node, mapping.Get("population"));
  if (node->kind != YamlKind::kMapping) {
    return ReadReference(*node, "a snapshot view or {spine: PATH} as \"population\"")
        .Value(&labels->population);
  }
  VIAND_ASSIGN_OR_RETURN(const YamlMapping spine,
                         YamlMapping::Of(*node, "the population of labels",
                                         {"spine", "timestamp_column", "entities"}));
  VIAND_RETURN_NOT_OK(spine.Require("spine", &labels->spine_path));
  VIAND_RETURN_NOT_OK(spine.Read("timestamp_column", &labels->spine_timestamp_column));
  return ReadEntities(spine, &labels->entities);
}

arrow::Status ReadColumns(const YamlDocument& document, const YamlMapping& mapping,
                          Labels* labels) {
  VIAND_ASSIGN_OR_RETURN(const YamlNodePtr node, mapping.Get("columns"));
  if (node->kind != YamlKind::kMapping) {
    return WrongKind(*node, "a mapping of label columns to expressions");
  }
  VIAND_ASSIGN_OR_RETURN(labels->columns, ReadComputedFeatures(document, *node));
  if (!labels->columns.empty()) return arrow::Status::OK();
  return ErrorAt(node->where, ErrorKind::kDefinition,
                 fmt::format("the labels \"{}\" have no columns", labels->name));
}

}  // namespace

arrow::Result<Labels> ReadLabels(const YamlDocument& document, YamlNodePtr node) {
  Labels labels;
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(*node, "labels",
                                         {"name", "population", "source", "window", "where",
                                          "columns", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&labels));
  VIAND_RETURN_NOT_OK(ReadPopulation(mapping, &labels));
  VIAND_RETURN_NOT_OK(mapping.Require("source", &labels.source));
  VIAND_RETURN_NOT_OK(mapping.Get("window").status());
  std::optional<Window> window;
  VIAND_RETURN_NOT_OK(ReadOptionalWindow(mapping, "window", &window));
  labels.window = *window;
  VIAND_RETURN_NOT_OK(ReadOptionalSql(document, mapping, "where", &labels.filter));
  VIAND_RETURN_NOT_OK(ReadColumns(document, mapping, &labels));
  return labels;
}

}  // namespace viand::definition
