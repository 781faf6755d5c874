#include "src/definition/feature_reader.h"

#include <fmt/format.h>

#include <set>

#include "src/definition/function_reader.h"
#include "src/definition/object_name.h"
#include "src/definition/sql_scalar.h"
#include "src/definition/window_text.h"

namespace viand::definition {
namespace {

arrow::Status ReadDefault(const YamlMapping& mapping, Feature* feature) {
  const YamlNodePtr node = mapping.Find("default");
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(std::string text, ReadText(*node, "a literal as \"default\""));
  feature->default_value = Sql{std::move(text), node->where};
  return arrow::Status::OK();
}

arrow::Status ReadComputation(const YamlDocument& document, const YamlMapping& mapping,
                              Feature* feature) {
  VIAND_RETURN_NOT_OK(ReadFunction(mapping, &feature->function));
  if (!feature->function) {
    VIAND_ASSIGN_OR_RETURN(const YamlNodePtr expr,
                           mapping.Get("expr", "write an expression, or function: module:name"));
    VIAND_ASSIGN_OR_RETURN(feature->expr, ReadSql(document, *expr, "an expression"));
  }
  VIAND_RETURN_NOT_OK(ReadOptionalWindow(mapping, "window", &feature->window));
  return ReadDefault(mapping, feature);
}

arrow::Result<Feature> ReadListedFeature(const YamlDocument& document, const YamlNode& node) {
  Feature feature;
  feature.where = node.where;
  if (node.kind == YamlKind::kText) {
    feature.name = node.text;
    VIAND_RETURN_NOT_OK(CheckColumnName(feature.name, feature.where));
    return feature;
  }
  VIAND_ASSIGN_OR_RETURN(
      const YamlMapping mapping,
      YamlMapping::Of(node, "a feature",
                      {"name", "dtype", "expr", "function", "columns", "returns", "mode", "output",
                       "packages", "code", "window", "default", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.Require("name", &feature.name));
  feature.where = mapping.Find("name")->where;
  VIAND_RETURN_NOT_OK(CheckColumnName(feature.name, feature.where));
  VIAND_RETURN_NOT_OK(mapping.ReadDocumentation(&feature));
  if (mapping.Find("expr") != nullptr || mapping.Find("function") != nullptr) {
    VIAND_RETURN_NOT_OK(ReadComputation(document, mapping, &feature));
    if (const YamlNodePtr type = mapping.Find("dtype")) {
      return ErrorAt(type->where, ErrorKind::kDefinition,
                     fmt::format("a feature has \"{}\" or \"dtype\", not both",
                                 feature.function ? "function" : "expr"),
                     feature.function
                         ? "\"returns\" is the type of a function's values"
                         : "the type follows from the expression; cast(... as type) changes it");
    }
    return feature;
  }
  VIAND_RETURN_NOT_OK(RefuseFunctionKeys(mapping));
  for (std::string_view key : {"window", "default"}) {
    if (const YamlNodePtr extra = mapping.Find(key)) {
      return ErrorAt(
          extra->where, ErrorKind::kDefinition,
          fmt::format("\"{}\" needs an \"expr\": a ready column is taken as it is", key));
    }
  }
  VIAND_RETURN_NOT_OK(mapping.Read("dtype", &feature.type));
  return feature;
}

}  // namespace

arrow::Result<std::vector<Feature>> ReadComputedFeatures(const YamlDocument& document,
                                                         const YamlNode& node) {
  std::vector<Feature> features;
  for (const YamlEntry& entry : node.entries) {
    Feature feature;
    feature.name = entry.key;
    feature.where = entry.where;
    VIAND_RETURN_NOT_OK(CheckColumnName(feature.name, feature.where));
    if (entry.value->kind == YamlKind::kMapping) {
      VIAND_ASSIGN_OR_RETURN(
          const YamlMapping mapping,
          YamlMapping::Of(*entry.value, fmt::format("the feature \"{}\"", entry.key),
                          {"expr", "function", "columns", "returns", "mode", "output", "packages",
                           "code", "window", "default", "description", "owner", "tags"}));
      VIAND_RETURN_NOT_OK(mapping.ReadDocumentation(&feature));
      VIAND_RETURN_NOT_OK(ReadComputation(document, mapping, &feature));
    } else {
      VIAND_ASSIGN_OR_RETURN(
          feature.expr,
          ReadSql(document, *entry.value, fmt::format("an expression as \"{}\"", entry.key)));
    }
    features.push_back(std::move(feature));
  }
  return features;
}

arrow::Result<std::vector<Feature>> ReadFeatureList(const YamlDocument& document,
                                                    YamlNodePtr node) {
  VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(node, "a list of features"));
  std::vector<Feature> features;
  std::set<std::string> names;
  for (const YamlNodePtr item : items) {
    VIAND_ASSIGN_OR_RETURN(Feature feature, ReadListedFeature(document, *item));
    if (!names.insert(feature.name).second) {
      return ErrorAt(feature.where, ErrorKind::kDefinition,
                     fmt::format("the feature \"{}\" stands twice in one view", feature.name));
    }
    features.push_back(std::move(feature));
  }
  return features;
}

arrow::Status ReadOptionalSql(const YamlDocument& document, const YamlMapping& mapping,
                              std::string_view key, std::optional<Sql>* sql) {
  const YamlNodePtr node = mapping.Find(key);
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(*sql, ReadSql(document, *node, fmt::format("a condition as \"{}\"", key)));
  return arrow::Status::OK();
}

arrow::Status ReadOptionalWindow(const YamlMapping& mapping, std::string_view key,
                                 std::optional<Window>* window) {
  const YamlNodePtr node = mapping.Find(key);
  if (node == nullptr) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const std::string text, ReadText(*node, "a window such as 90d"));
  VIAND_ASSIGN_OR_RETURN(*window, ParseWindow(text, node->where));
  return arrow::Status::OK();
}

arrow::Status ReadEntities(const YamlMapping& mapping, std::vector<Reference>* entities) {
  VIAND_ASSIGN_OR_RETURN(
      const YamlNodePtr node,
      mapping.Get("entities", "write entities: [] where one row at a time is for all"));
  VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(node, "a list of entities", true));
  std::set<std::string> names;
  for (const YamlNodePtr item : items) {
    VIAND_ASSIGN_OR_RETURN(Reference entity, ReadReference(*item, "the name of an entity"));
    if (!names.insert(entity.name).second) {
      return ErrorAt(entity.where, ErrorKind::kDefinition,
                     fmt::format("the entity \"{}\" stands twice in one list", entity.name));
    }
    entities->push_back(std::move(entity));
  }
  return arrow::Status::OK();
}

}  // namespace viand::definition
