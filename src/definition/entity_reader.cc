#include <fmt/format.h>

#include <algorithm>

#include "src/definition/object_name.h"
#include "src/definition/object_readers.h"
#include "src/definition/yaml_mapping.h"

namespace viand::definition {
namespace {

/// Reads the texts at `plural` (a list) or `singular` (one text), of which at most one may be
/// there.
arrow::Result<std::vector<std::string>> ReadOneOrMany(const YamlMapping& mapping,
                                                      std::string_view singular,
                                                      std::string_view plural) {
  const YamlNodePtr one = mapping.Find(singular);
  const YamlNodePtr many = mapping.Find(plural);
  if (one != nullptr && many != nullptr) {
    return ErrorAt(one->where, ErrorKind::kDefinition,
                   fmt::format("an entity has \"{}\" or \"{}\", not both", singular, plural));
  }
  std::vector<std::string> texts;
  if (one == nullptr && many == nullptr) return texts;
  const std::string what = fmt::format("a list of texts as \"{}\"", plural);
  VIAND_ASSIGN_OR_RETURN(const auto items, ReadList(one != nullptr ? one : many, what, true));
  for (const YamlNodePtr item : items) {
    VIAND_ASSIGN_OR_RETURN(std::string text, ReadText(*item, "a text"));
    texts.push_back(std::move(text));
  }
  return texts;
}

arrow::Status CheckJoinKeys(const Entity& entity) {
  for (auto key = entity.join_keys.begin(); key != entity.join_keys.end(); ++key) {
    VIAND_RETURN_NOT_OK(CheckColumnName(*key, entity.where));
    if (std::find(entity.join_keys.begin(), key, *key) == key) continue;
    return ErrorAt(
        entity.where, ErrorKind::kDefinition,
        fmt::format("the entity \"{}\" has the join key \"{}\" twice", entity.name, *key));
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Entity> ReadEntity(const YamlDocument&, YamlNodePtr node) {
  Entity entity;
  if (node->kind == YamlKind::kText) {
    entity.name = node->text;
    entity.where = node->where;
    VIAND_RETURN_NOT_OK(CheckObjectName(entity.name, entity.where));
    entity.join_keys = {entity.name};
    entity.value_types = {"UNKNOWN"};
    return entity;
  }
  VIAND_ASSIGN_OR_RETURN(const YamlMapping mapping,
                         YamlMapping::Of(*node, "an entity",
                                         {"name", "join_keys", "join_key", "value_type",
                                          "value_types", "description", "owner", "tags"}));
  VIAND_RETURN_NOT_OK(mapping.ReadObject(&entity));
  VIAND_ASSIGN_OR_RETURN(entity.join_keys, ReadOneOrMany(mapping, "join_key", "join_keys"));
  if (entity.join_keys.empty()) entity.join_keys = {entity.name};
  VIAND_RETURN_NOT_OK(CheckJoinKeys(entity));
  VIAND_ASSIGN_OR_RETURN(entity.value_types, ReadOneOrMany(mapping, "value_type", "value_types"));
  const size_t keys = entity.join_keys.size();
  // One type for several keys is what Feast's value_type says of a multi-column entity.
  if (entity.value_types.size() == 1) {
    entity.value_types = std::vector<std::string>(keys, entity.value_types.front());
  }
  if (entity.value_types.empty()) entity.value_types = std::vector<std::string>(keys, "UNKNOWN");
  if (entity.value_types.size() == keys) return entity;
  return ErrorAt(
      entity.where, ErrorKind::kDefinition,
      fmt::format("the entity \"{}\" has {} join keys and {} value types, expected one a key",
                  entity.name, keys, entity.value_types.size()));
}

}  // namespace viand::definition
