#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/common/time.h"
#include "src/definition/validation.h"
#include "src/definition/window_text.h"

namespace viand::definition {
namespace {

using Json = nlohmann::json;

arrow::Status Broken(const std::string& what) {
  return MakeError(ErrorKind::kDefinition,
                   fmt::format("the stored definition of a feature view is broken: {}", what),
                   "apply the view again from the repo that defines it");
}

/// Reads a text at `key`; absent texts are empty.
arrow::Result<std::string> TextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::string();
  if (!found->is_string()) return Broken(fmt::format("\"{}\" is no text", key));
  return found->get<std::string>();
}

arrow::Result<std::optional<Sql>> SqlAt(const Json& json, const char* key) {
  VIAND_ASSIGN_OR_RETURN(std::string text, TextAt(json, key));
  if (text.empty()) return std::nullopt;
  return Sql{std::move(text), {}};
}

arrow::Result<std::optional<Window>> WindowAt(const Json& json) {
  VIAND_ASSIGN_OR_RETURN(const std::string text, TextAt(json, "window"));
  if (text.empty()) return std::nullopt;
  return ParseWindow(text, {});
}

arrow::Status ReadObject(const Json& json, Object* object) {
  VIAND_ASSIGN_OR_RETURN(object->name, TextAt(json, "name"));
  if (object->name.empty()) return Broken("a name is missing");
  VIAND_ASSIGN_OR_RETURN(object->description, TextAt(json, "description"));
  VIAND_ASSIGN_OR_RETURN(object->owner, TextAt(json, "owner"));
  if (!json.contains("tags")) return arrow::Status::OK();
  if (!json["tags"].is_object()) return Broken("\"tags\" is no mapping");
  for (const auto& [key, value] : json["tags"].items()) {
    if (!value.is_string()) return Broken("a tag is no text");
    object->tags[key] = value.get<std::string>();
  }
  return arrow::Status::OK();
}

arrow::Result<Feature> ReadFeature(const Json& json) {
  if (!json.is_object()) return Broken("a feature is no mapping");
  Feature feature;
  VIAND_RETURN_NOT_OK(ReadObject(json, &feature));
  VIAND_ASSIGN_OR_RETURN(feature.expr.text, TextAt(json, "expr"));
  VIAND_ASSIGN_OR_RETURN(feature.type, TextAt(json, "dtype"));
  VIAND_ASSIGN_OR_RETURN(feature.window, WindowAt(json));
  // A default may be the empty text.
  if (json.contains("default")) {
    VIAND_ASSIGN_OR_RETURN(std::string text, TextAt(json, "default"));
    feature.default_value = Sql{std::move(text), {}};
  }
  return feature;
}

arrow::Status ReadLists(const Json& json, FeatureView* view) {
  if (!json.contains("entities") || !json["entities"].is_array())
    return Broken("no list of entities");
  for (const Json& entity : json["entities"]) {
    if (!entity.is_string()) return Broken("an entity is no text");
    view->entities.push_back({entity.get<std::string>(), {}});
  }
  if (!json.contains("features") || !json["features"].is_array())
    return Broken("no list of features");
  for (const Json& item : json["features"]) {
    VIAND_ASSIGN_OR_RETURN(Feature feature, ReadFeature(item));
    view->features.push_back(std::move(feature));
  }
  if (view->features.empty()) return Broken("no features");
  view->computed = !view->features.front().expr.text.empty();
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<FeatureView> ViewFromCanonicalText(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Broken("it is no JSON object");
  FeatureView view;
  VIAND_RETURN_NOT_OK(ReadObject(json, &view));
  VIAND_ASSIGN_OR_RETURN(view.source.name, TextAt(json, "source"));
  if (view.source.name.empty()) return Broken("no source");
  VIAND_ASSIGN_OR_RETURN(std::string snapshots, TextAt(json, "snapshots"));
  if (!snapshots.empty()) view.snapshots = Reference{std::move(snapshots), {}};
  VIAND_ASSIGN_OR_RETURN(view.window, WindowAt(json));
  VIAND_ASSIGN_OR_RETURN(view.filter, SqlAt(json, "where"));
  VIAND_ASSIGN_OR_RETURN(view.having, SqlAt(json, "having"));
  VIAND_RETURN_NOT_OK(ReadLists(json, &view));
  VIAND_ASSIGN_OR_RETURN(const std::string ttl, TextAt(json, "ttl"));
  if (!ttl.empty()) {
    VIAND_ASSIGN_OR_RETURN(view.ttl_us, ParseDurationUs(ttl));
  }
  const auto online = json.find("online");
  view.online = online != json.end() && online->is_boolean() && online->get<bool>();
  return view;
}

}  // namespace viand::definition
