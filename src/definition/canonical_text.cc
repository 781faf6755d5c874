#include <arrow/type.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/definition/sql_normal_form.h"
#include "src/definition/validation.h"
#include "src/definition/window_text.h"
#include "src/expression/binder.h"

namespace viand::definition {
namespace {

// nlohmann's object sorts its keys.
using Json = nlohmann::json;

constexpr size_t kTextNameDigits = 16;

std::string Print(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Start(const Object& object, CanonicalScope scope) {
  Json json = {{"name", object.name}};
  if (scope == CanonicalScope::kMeaning) return json;
  if (!object.description.empty()) json["description"] = object.description;
  if (!object.owner.empty()) json["owner"] = object.owner;
  if (!object.tags.empty()) json["tags"] = object.tags;
  return json;
}

Json Names(const std::vector<Reference>& references) {
  Json names = Json::array();
  for (const Reference& reference : references) names.push_back(reference.name);
  return names;
}

void PutSql(Json* json, const char* key, const std::optional<Sql>& sql) {
  if (sql) (*json)[key] = SqlNormalForm(sql->text);
}

/// SQL's name of a type where it has one, else Feast's.
std::string TypeNormalForm(const std::string& text) {
  const auto type = TypeFromName(text);
  if (!type.ok()) return text;
  std::string sql = expression::TypeToSql(**type);
  const auto back = expression::TypeFromSql(sql);
  if (back.ok() && (*back)->Equals(**type)) return sql;
  return FeastTypeOf(**type).ValueOr(text);
}

/// Texts of Python stand once in an object, by a name that is made of the text.
std::string PutText(const std::string& text, Json* texts) {
  std::string name = Sha256Hex(text).substr(0, kTextNameDigits);
  (*texts)[name] = text;
  return name;
}

Json FunctionOf(const PythonFunction& function, Json* texts) {
  Json json = {{"name", function.name.name}, {"returns", TypeNormalForm(function.returns.text)}};
  if (!function.columns.empty()) json["columns"] = Names(function.columns);
  if (function.mode != "arrow") json["mode"] = function.mode;
  if (!function.output.empty()) json["output"] = function.output;
  if (!function.packages.empty()) json["packages"] = function.packages;
  if (function.code.empty()) return json;
  json["python"] = function.python;
  if (!function.versions.empty()) json["versions"] = function.versions;
  json["code"] = PutText(function.code, texts);
  for (const auto& [module, text] : function.modules)
    json["modules"][module] = PutText(text, texts);
  return json;
}

/// Puts an array: the order of features is that of the columns they make.
void PutFeatures(const char* key, const std::vector<Feature>& features, CanonicalScope scope,
                 Json* object) {
  Json list = Json::array();
  Json texts = Json::object();
  for (const Feature& feature : features) {
    Json json = Start(feature, scope);
    if (!feature.expr.text.empty()) json["expr"] = SqlNormalForm(feature.expr.text);
    if (feature.function) json["function"] = FunctionOf(*feature.function, &texts);
    if (feature.window) json["window"] = FormatWindow(*feature.window);
    if (feature.default_value) json["default"] = feature.default_value->text;
    if (!feature.type.empty()) json["dtype"] = feature.type;
    list.push_back(std::move(json));
  }
  (*object)[key] = std::move(list);
  if (!texts.empty()) (*object)["python_texts"] = std::move(texts);
}

Json Spine(const std::string& path, const std::string& timestamp_column) {
  return {{"spine", path}, {"timestamp_column", timestamp_column}};
}

Json InputOf(const DatasetInput& from) {
  Json json = Json::object();
  // Files are read in order of name, so the order in which they are listed means nothing.
  std::vector<std::string> paths;
  for (const Reference& path : from.paths) paths.push_back(path.name);
  std::sort(paths.begin(), paths.end());
  json["path"] = paths;
  if (!from.format.empty()) json["format"] = from.format;
  if (from.sheet_name) json["sheet"] = *from.sheet_name;
  if (from.sheet_index) json["sheet"] = *from.sheet_index;
  if (from.delimiter != ",") json["delimiter"] = from.delimiter;
  for (const auto& [column, type] : from.types)
    json["types"][column] = SqlNormalForm("::" + type).substr(2);
  return json;
}

Json SplitOf(const Split& split) {
  switch (split.kind) {
    case Split::Kind::kAfter:
      return {{"after", FormatTimestamp(split.after_us)}};
    case Split::Kind::kFraction:
      return {{"fraction", split.fraction}};
    default:
      return "last_snapshot";
  }
}

/// By parameter, then in the order written: a parameter may stand several times (eval_metric).
Json ParamsOf(const std::vector<std::pair<std::string, std::string>>& params) {
  Json json = Json::object();
  for (const auto& [name, value] : params) json[name].push_back(value);
  return json;
}

}  // namespace

std::string CanonicalText(const Entity& entity, CanonicalScope scope) {
  Json json = Start(entity, scope);
  json["join_keys"] = entity.join_keys;
  json["value_types"] = entity.value_types;
  return Print(json);
}

std::string CanonicalText(const Dataset& dataset, CanonicalScope scope) {
  Json json = Start(dataset, scope);
  json["from"] = InputOf(dataset.from);
  if (dataset.on_error != OnError::kFail) {
    json["on_error"] = dataset.on_error == OnError::kSkip ? "skip" : "null";
  }
  PutSql(&json, "where", dataset.filter);
  for (const NamedSql& column : dataset.columns) {
    json["columns"].push_back({{"name", column.name}, {"expr", SqlNormalForm(column.sql.text)}});
  }
  json["to"] = dataset.to;
  if (!dataset.sort_by.empty()) json["sort_by"] = dataset.sort_by;
  return Print(json);
}

std::string CanonicalText(const Source& source, CanonicalScope scope) {
  Json json = Start(source, scope);
  json["type"] = source.type;
  json["path"] = source.path;
  if (!source.s3_endpoint_override.empty())
    json["s3_endpoint_override"] = source.s3_endpoint_override;
  if (source.fill_missing_columns) json["missing_columns"] = "fill_null";
  json["timestamp_field"] = source.timestamp_field;
  if (!source.created_timestamp_column.empty()) {
    json["created_timestamp_column"] = source.created_timestamp_column;
  }
  if (!source.field_mapping.empty()) json["field_mapping"] = source.field_mapping;
  return Print(json);
}

std::string CanonicalText(const Snapshots& snapshots, CanonicalScope scope) {
  Json json = Start(snapshots, scope);
  json["source"] = snapshots.source.name;
  json["first"] = FormatGridBound(snapshots.first);
  json["last"] = FormatGridBound(snapshots.last);
  json["every"] = FormatDuration(snapshots.every_us);
  return Print(json);
}

std::string CanonicalText(const FeatureView& view, CanonicalScope scope) {
  Json json = Start(view, scope);
  json["entities"] = Names(view.entities);
  json["source"] = view.source.name;
  if (view.snapshots) json["snapshots"] = view.snapshots->name;
  if (view.window) json["window"] = FormatWindow(*view.window);
  PutSql(&json, "where", view.filter);
  PutSql(&json, "having", view.having);
  PutFeatures("features", view.features, scope, &json);
  if (view.ttl_us) json["ttl"] = FormatDuration(*view.ttl_us);
  if (view.online || !view.computed) json["online"] = view.online;
  return Print(json);
}

std::string CanonicalText(const Labels& labels, CanonicalScope scope) {
  Json json = Start(labels, scope);
  if (labels.spine_path.empty()) {
    json["population"] = labels.population.name;
  } else {
    json["population"] = Spine(labels.spine_path, labels.spine_timestamp_column);
    json["population"]["entities"] = Names(labels.entities);
  }
  json["source"] = labels.source.name;
  json["window"] = FormatWindow(labels.window);
  PutSql(&json, "where", labels.filter);
  PutFeatures("columns", labels.columns, scope, &json);
  return Print(json);
}

std::string CanonicalText(const FeatureService& service, CanonicalScope scope) {
  Json json = Start(service, scope);
  json["features"] = Json::array();
  for (const FeatureReference& reference : service.features) {
    Json item = {{"view", reference.view.name}};
    if (!reference.features.empty()) item["features"] = reference.features;
    if (!reference.alias.empty()) item["alias"] = reference.alias;
    if (!reference.join_key_map.empty()) item["join_key_map"] = reference.join_key_map;
    json["features"].push_back(std::move(item));
  }
  return Print(json);
}

std::string CanonicalText(const Model& model, CanonicalScope scope) {
  Json json = Start(model, scope);
  json["type"] = model.type;
  json["features"] = model.features.name;
  if (model.spine_path.empty()) {
    json["labels"] = model.labels.name;
  } else {
    json["labels"] = Spine(model.spine_path, model.spine_timestamp_column);
  }
  json["target"] = model.target;
  if (model.fill_null) json["fill_null"] = *model.fill_null;
  json["split"] = SplitOf(model.split);
  json["params"] = ParamsOf(model.params);
  json["num_boost_round"] = model.num_boost_round;
  return Print(json);
}

}  // namespace viand::definition
