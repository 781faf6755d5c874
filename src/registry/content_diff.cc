#include "src/registry/content_diff.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <set>

#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"
#include "src/registry/grid_record.h"
#include "src/registry/json_diff.h"
#include "src/registry/proto_diff.h"

namespace viand::registry {
namespace {

// Whether a field of the message repeats what a changed field of the definition says better.
bool SaidByDefinition(const FieldChange& change, const std::set<std::string>& definition_fields) {
  const std::string& path = change.path;
  const bool documentation = path.ends_with("description") || path.ends_with("owner") ||
                             path.starts_with("tags.") || path.find(".tags.") != std::string::npos;
  if (documentation || path.ends_with("value_type")) return false;
  if (path == "ttl") return definition_fields.contains("ttl");
  if (path.ends_with("file_options.uri")) return definition_fields.contains("path");
  if (path.ends_with("s3_endpoint_override"))
    return definition_fields.contains("s3_endpoint_override");
  return true;
}

// A function's text is said by its name, which is made of it.
nlohmann::json WithoutTexts(nlohmann::json definition) {
  if (definition.is_object()) definition.erase("python_texts");
  return definition;
}

// The differences of two messages, each said once: where the definition changed, in its own words.
std::vector<FieldChange> MessageFields(ObjectKind kind, const google::protobuf::Message& before,
                                       const google::protobuf::Message& after) {
  std::vector<FieldChange> all = DiffMessages(before, after);
  const std::string old_definition = TagOf(kind, before, kDefinitionTag);
  if (old_definition.empty() || old_definition == TagOf(kind, after, kDefinitionTag)) return all;
  const auto old_tree = ParseJson(old_definition);
  const auto new_tree = ParseJson(TagOf(kind, after, kDefinitionTag));
  if (!old_tree.ok() || !new_tree.ok()) return all;
  std::vector<FieldChange> fields = DiffJson(WithoutTexts(*old_tree), WithoutTexts(*new_tree));
  // DiffMessages puts the definition's fields in front.
  std::set<std::string> definition_fields;
  for (const FieldChange& field : fields) definition_fields.insert(field.path);
  for (size_t i = fields.size(); i < all.size(); ++i)
    if (!SaidByDefinition(all[i], definition_fields)) fields.push_back(std::move(all[i]));
  return fields;
}

nlohmann::json Member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nlohmann::json() : *found;
}

// The differences of two canonical texts; snapshots and labels have theirs in a member of its own.
arrow::Result<std::vector<FieldChange>> TextFields(ObjectKind kind, const std::string& before,
                                                   const std::string& after) {
  VIAND_ASSIGN_OR_RETURN(const nlohmann::json old_tree, ParseJson(before));
  VIAND_ASSIGN_OR_RETURN(const nlohmann::json new_tree, ParseJson(after));
  if (kind != ObjectKind::kSnapshots && kind != ObjectKind::kLabels)
    return DiffJson(old_tree, new_tree);
  std::vector<FieldChange> fields = DiffJson(WithoutTexts(Member(old_tree, "definition")),
                                             WithoutTexts(Member(new_tree, "definition")));
  std::vector<FieldChange> more;
  if (kind == ObjectKind::kLabels) {
    more = DiffJson(nlohmann::json{{"types", Member(old_tree, "types")}},
                    nlohmann::json{{"types", Member(new_tree, "types")}});
  } else {
    VIAND_ASSIGN_OR_RETURN(const auto old_grid, GridOf(before));
    VIAND_ASSIGN_OR_RETURN(const auto new_grid, GridOf(after));
    more = DiffGrids(old_grid ? &*old_grid : nullptr, new_grid ? &*new_grid : nullptr);
  }
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace

arrow::Result<std::vector<FieldChange>> DiffContents(ObjectKind kind, const std::string& name,
                                                     const std::string& before,
                                                     const std::string& after) {
  if (before == after) return std::vector<FieldChange>();
  if (static_cast<int>(kind) >= static_cast<int>(ObjectKind::kDataset))
    return TextFields(kind, before, after);
  if (!HasMessage(kind))
    return std::vector<FieldChange>{
        {"content", fmt::format("{} bytes", before.size()), fmt::format("{} bytes", after.size())}};
  VIAND_ASSIGN_OR_RETURN(const auto old_message, ParseMessage(kind, name, before));
  VIAND_ASSIGN_OR_RETURN(const auto new_message, ParseMessage(kind, name, after));
  return MessageFields(kind, *old_message, *new_message);
}

}  // namespace viand::registry
