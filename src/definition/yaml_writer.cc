#include "src/definition/yaml_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "src/definition/validation.h"

namespace viand::definition {
namespace {

using Json = nlohmann::ordered_json;

// Keys in the order in which people write them; others follow as they come.
constexpr const char* kKeyOrder[] = {
    "name",     "description", "owner",        "tags",     "join_keys",      "value_types",
    "type",     "path",        "population",   "entities", "from",           "on_error",
    "view",     "alias",       "join_key_map", "source",   "snapshots",      "first",
    "last",     "every",       "function",     "returns",  "mode",           "output",
    "packages", "code",        "window",       "where",    "having",         "expr",
    "dtype",    "default",     "features",     "schema",   "columns",        "ttl",
    "online",   "to",          "sort_by",      "labels",   "spine",          "timestamp_column",
    "target",   "fill_null",   "split",        "params",   "num_boost_round"};

bool IsPlainWord(const std::string& text, bool in_flow) {
  static const std::vector<std::string> kWords = {"true", "false", "null", "yes",
                                                  "no",   "on",    "off"};
  if (text.empty() || text.back() == ' ') return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (std::find(kWords.begin(), kWords.end(), lower) != kWords.end()) return false;
  const auto first = static_cast<unsigned char>(text.front());
  if (std::isalnum(first) == 0 && std::string("_/.(").find(text.front()) == std::string::npos)
    return false;
  const std::string allowed = in_flow ? "_ ./()+-*<>='%" : "_ ./()+-*<>='%,";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || allowed.find(c) != std::string::npos;
  });
}

std::string Scalar(const Json& value, bool in_flow) {
  if (!value.is_string()) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  // A JSON string is a double-quoted YAML one.
  return IsPlainWord(text, in_flow) ? text
                                    : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Flow(const Json& value) {
  if (!value.is_structured()) return Scalar(value, true);
  std::string text;
  for (auto entry = value.begin(); entry != value.end(); ++entry) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += Scalar(entry.key(), true) + ": ";
    // A sheet is known by its index without quotes, by its name with them.
    const bool quoted = value.is_object() && entry.key() == "sheet";
    text += quoted ? entry->dump() : Flow(*entry);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

// Mappings of these keys have a line an entry; lists of mappings an item a line.
bool IsBlock(const std::string& key, const Json& value) {
  if (value.empty()) return false;
  if (value.is_array())
    return std::any_of(value.begin(), value.end(),
                       [](const Json& item) { return item.is_object(); });
  return value.is_object() && (key == "features" || key == "columns" || key == "from");
}

void PrintEntry(const std::string& key, const Json& value, int indent, std::string* text) {
  *text += Scalar(key, true) + ":";
  if (!IsBlock(key, value)) {
    *text += " " + (value.is_structured() ? Flow(value) : Scalar(value, false)) + "\n";
    return;
  }
  *text += "\n";
  const std::string space(indent + 2, ' ');
  for (auto entry = value.begin(); entry != value.end(); ++entry) {
    *text += space + (value.is_array() ? "- " : Scalar(entry.key(), true) + ": ");
    const bool quoted = value.is_object() && entry.key() == "sheet";
    *text += quoted ? entry->dump() : entry->is_structured() ? Flow(*entry) : Scalar(*entry, false);
    *text += "\n";
  }
}

// Rows of {name, expr, ...} become name: expr, or name: {expr, ...}.
Json ByName(const Json& list) {
  Json result = Json::object();
  for (Json item : list) {
    const std::string name = item.at("name");
    item.erase("name");
    result[name] = item.size() == 1 && item.contains("expr") ? item["expr"] : item;
  }
  return result;
}

Json InOrder(const Json& object) {
  Json result = Json::object();
  for (const char* key : kKeyOrder)
    if (object.contains(key)) result[key] = object[key];
  for (const auto& [key, value] : object.items())
    if (!result.contains(key)) result[key] = value;
  for (auto& [key, value] : result.items()) {
    // The keys of these are names of people's own.
    const bool of_names = key == "features" || key == "columns" || key == "tags" ||
                          key == "params" || key == "types" || key == "field_mapping" ||
                          key == "join_key_map";
    if (value.is_object() && !of_names) value = InOrder(value);
    if (!value.is_structured()) continue;
    for (Json& item : value)
      if (item.is_object()) item = InOrder(item);
  }
  return result;
}

void ReshapeModel(Json* object) {
  if ((*object)["labels"].is_object()) {
    const Json spine = (*object)["labels"];
    object->erase("labels");
    for (const auto& [key, value] : spine.items()) (*object)[key] = value;
  }
  if (object->contains("split")) (*object)["split"] = Json{{"test", Json((*object)["split"])}};
  if (!object->contains("params")) return;
  for (auto& [name, values] : (*object)["params"].items())
    if (values.is_array() && values.size() == 1) values = Json(values[0]);
}

// A function's keys stand among those of its feature; what was found of it is found again, but for
// a text that stands in no file of its own.
void ReshapeFunctions(Json* object) {
  const Json texts = object->value("python_texts", Json::object());
  object->erase("python_texts");
  for (const char* key : {"features", "columns"}) {
    if (!object->contains(key) || !(*object)[key].is_array()) continue;
    for (Json& feature : (*object)[key]) {
      if (!feature.is_object() || !feature.contains("function")) continue;
      const Json function = feature["function"];
      feature["function"] = function.at("name");
      for (const char* own : {"columns", "returns", "mode", "output", "packages"})
        if (function.contains(own)) feature[own] = function[own];
      if (function.contains("code")) feature["code"] = texts.at(function["code"]);
    }
  }
}

// A canonical text has lists where people write mappings.
void Reshape(const std::string& section, Json* object) {
  ReshapeFunctions(object);
  if (section == "feature_views") {
    Json& features = (*object)["features"];
    const bool computed =
        !features.empty() && (features[0].contains("expr") || features[0].contains("function"));
    if (computed) {
      features = ByName(features);
    } else {
      const Json schema = features;
      object->erase("features");
      (*object)["schema"] = schema;
      // What they are without a word is not said. Texts of before had a word for true alone.
      const bool online = object->value("online", false);
      object->erase("online");
      if (!online) (*object)["online"] = false;
    }
  } else if (section == "datasets" || section == "labels") {
    if (object->contains("columns")) (*object)["columns"] = ByName((*object)["columns"]);
  } else if (section == "feature_services") {
    for (Json& reference : (*object)["features"])
      if (reference.size() == 1) reference = Json(reference["view"]);
  } else if (section == "models") {
    ReshapeModel(object);
  } else if (section == "entities") {
    Json& types = (*object)["value_types"];
    const bool none =
        std::all_of(types.begin(), types.end(), [](const Json& type) { return type == "UNKNOWN"; });
    if (none) object->erase("value_types");
  }
  if (object->contains("from") && (*object)["from"]["path"].size() == 1)
    (*object)["from"]["path"] = Json((*object)["from"]["path"][0]);
}

constexpr auto kDocumented = CanonicalScope::kWithDocumentation;

void LeaveInFiles(std::vector<Feature>* features) {
  for (Feature& feature : *features) {
    const bool in_file =
        feature.function && feature.function->source.empty() && !feature.function->places.empty();
    if (in_file) feature.function->code.clear();
  }
}

template <class Objects>
arrow::Status PrintSection(const char* section, const Objects& objects, std::string* text) {
  if (objects.empty()) return arrow::Status::OK();
  *text += std::string(text->empty() ? "" : "\n") + section + ":\n";
  for (const auto& object : objects) {
    VIAND_ASSIGN_OR_RETURN(const std::string item,
                           YamlItem(section, CanonicalText(AsWritten(object), kDocumented), 2));
    *text += item;
  }
  return arrow::Status::OK();
}

/// The tree of an item, as people write it.
arrow::Result<Json> ItemOf(const std::string& section, const std::string& canonical) {
  Json object = Json::parse(canonical, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("name"))
    return MakeError(ErrorKind::kDefinition, "a stored definition is broken: it is no JSON object",
                     "apply it again from the repo that defines it");
  Reshape(section, &object);
  return InOrder(object);
}

}  // namespace

arrow::Result<std::string> JsonItem(const std::string& section, const std::string& canonical) {
  VIAND_ASSIGN_OR_RETURN(const Json object, ItemOf(section, canonical));
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

arrow::Result<std::string> YamlItem(const std::string& section, const std::string& canonical,
                                    int indent) {
  VIAND_ASSIGN_OR_RETURN(const Json object, ItemOf(section, canonical));
  std::string text;
  for (const auto& [key, value] : object.items()) {
    text += std::string(indent, ' ') + (text.empty() ? "- " : "  ");
    PrintEntry(key, value, indent + 2, &text);
  }
  return text;
}

FeatureView AsWritten(FeatureView view) {
  LeaveInFiles(&view.features);
  return view;
}

Labels AsWritten(Labels labels) {
  LeaveInFiles(&labels.columns);
  return labels;
}

arrow::Result<std::string> WriteYaml(const Definitions& definitions) {
  std::string text;
  VIAND_RETURN_NOT_OK(PrintSection("entities", definitions.entities, &text));
  VIAND_RETURN_NOT_OK(PrintSection("datasets", definitions.datasets, &text));
  VIAND_RETURN_NOT_OK(PrintSection("sources", definitions.sources, &text));
  VIAND_RETURN_NOT_OK(PrintSection("snapshots", definitions.snapshots, &text));
  VIAND_RETURN_NOT_OK(PrintSection("feature_views", definitions.feature_views, &text));
  VIAND_RETURN_NOT_OK(PrintSection("labels", definitions.labels, &text));
  VIAND_RETURN_NOT_OK(PrintSection("feature_services", definitions.feature_services, &text));
  VIAND_RETURN_NOT_OK(PrintSection("models", definitions.models, &text));
  return text;
}

}  // namespace viand::definition
