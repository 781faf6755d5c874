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

arrow::Result<std::vector<std::string>> TextsAt(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const auto found = json.find(key);
  if (found == json.end()) return texts;
  if (!found->is_array()) return Broken(fmt::format("\"{}\" is no list", key));
  for (const Json& each : *found) {
    if (!each.is_string()) return Broken(fmt::format("\"{}\" is no list of texts", key));
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

arrow::Result<std::map<std::string, std::string>> TextMapAt(const Json& json, const char* key) {
  std::map<std::string, std::string> texts;
  const auto found = json.find(key);
  if (found == json.end()) return texts;
  if (!found->is_object()) return Broken(fmt::format("\"{}\" is no mapping", key));
  for (const auto& [name, text] : found->items()) {
    if (!text.is_string()) return Broken(fmt::format("\"{}\" is no mapping of texts", key));
    texts[name] = text.get<std::string>();
  }
  return texts;
}

arrow::Result<PythonFunction> ReadFunction(const Json& json,
                                           std::map<std::string, std::string> texts) {
  if (!json.is_object()) return Broken("a function is no mapping");
  PythonFunction function;
  VIAND_ASSIGN_OR_RETURN(function.name.name, TextAt(json, "name"));
  VIAND_ASSIGN_OR_RETURN(function.returns.text, TextAt(json, "returns"));
  VIAND_ASSIGN_OR_RETURN(const std::string mode, TextAt(json, "mode"));
  if (!mode.empty()) function.mode = mode;
  VIAND_ASSIGN_OR_RETURN(function.output, TextAt(json, "output"));
  VIAND_ASSIGN_OR_RETURN(const auto columns, TextsAt(json, "columns"));
  for (const std::string& column : columns) function.columns.push_back({column, {}});
  VIAND_ASSIGN_OR_RETURN(function.packages, TextsAt(json, "packages"));
  VIAND_ASSIGN_OR_RETURN(function.python, TextAt(json, "python"));
  VIAND_ASSIGN_OR_RETURN(function.versions, TextMapAt(json, "versions"));
  VIAND_ASSIGN_OR_RETURN(const std::string code, TextAt(json, "code"));
  function.code = texts[code];
  VIAND_ASSIGN_OR_RETURN(function.modules, TextMapAt(json, "modules"));
  for (auto& [module, text] : function.modules) text = texts[text];
  if (function.code.empty()) return Broken("the text of a function is missing");
  return function;
}

arrow::Result<Feature> ReadFeature(const Json& json,
                                   const std::map<std::string, std::string>& texts) {
  if (!json.is_object()) return Broken("a feature is no mapping");
  Feature feature;
  VIAND_RETURN_NOT_OK(ReadObject(json, &feature));
  VIAND_ASSIGN_OR_RETURN(feature.expr.text, TextAt(json, "expr"));
  if (json.contains("function")) {
    VIAND_ASSIGN_OR_RETURN(feature.function, ReadFunction(json["function"], texts));
  }
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
  VIAND_ASSIGN_OR_RETURN(const auto texts, TextMapAt(json, "python_texts"));
  for (const Json& item : json["features"]) {
    VIAND_ASSIGN_OR_RETURN(Feature feature, ReadFeature(item, texts));
    view->features.push_back(std::move(feature));
  }
  if (view->features.empty()) return Broken("no features");
  view->computed = view->features.front().IsComputed();
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
