#include "src/registry/feast_python.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"

namespace viand::registry {
namespace {

using feast::core::DataSource;
using feast::core::FeatureSpecV2;
using feast::types::ValueType;

/// A text as Python writes it; JSON's escapes are Python's.
std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// A name as a variable.
std::string Variable(const std::string& name) {
  std::string variable = name;
  for (char& c : variable)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return std::isdigit(static_cast<unsigned char>(variable[0])) != 0 ? "_" + variable : variable;
}

/// feast.types' name of a value type, or empty.
std::string DtypeOf(ValueType::Enum type) {
  const std::string name = ValueType::Enum_Name(type);
  static const std::map<std::string, std::string> kNames = {
      {"INT32", "Int32"},   {"INT64", "Int64"},
      {"FLOAT", "Float32"}, {"DOUBLE", "Float64"},
      {"STRING", "String"}, {"BYTES", "Bytes"},
      {"BOOL", "Bool"},     {"UNIX_TIMESTAMP", "UnixTimestamp"},
      {"MAP", "Map"},       {"JSON", "Json"},
      {"UUID", "Uuid"}};
  if (const auto found = kNames.find(name); found != kNames.end()) return found->second;
  if (!name.ends_with("_LIST")) return "";
  const auto found = kNames.find(name.substr(0, name.size() - 5));
  return found == kNames.end() ? "" : fmt::format("Array({})", found->second);
}

class Call {
 public:
  explicit Call(std::string name) : text_(std::move(name) + "(\n") {}
  void Add(const char* key, const std::string& value) {
    text_ += fmt::format("    {}={},\n", key, value);
  }
  void AddText(const char* key, const std::string& value) {
    if (!value.empty()) Add(key, Quoted(value));
  }
  template <class TagMap>
  void AddTags(const TagMap& tags) {
    const std::string text = Mapping(tags);
    if (text != "{}") Add("tags", text);
  }
  template <class TextMap>
  static std::string Mapping(const TextMap& entries) {
    std::map<std::string, std::string> sorted;
    for (const auto& [key, value] : entries)
      if (key != kRepoTag && key != kDefinitionTag) sorted[key] = value;
    std::string text;
    for (const auto& [key, value] : sorted)
      text += (text.empty() ? "" : ", ") + Quoted(key) + ": " + Quoted(value);
    return "{" + text + "}";
  }
  std::string Text() const { return text_ + ")\n"; }

 private:
  std::string text_;
};

class Program {
 public:
  arrow::Status Add(const StoredObject& object) {
    if (object.name == kDummyEntity || object.kind == ObjectKind::kProject)
      return arrow::Status::OK();
    if (!HasMessage(object.kind)) {
      if (static_cast<int>(object.kind) < static_cast<int>(ObjectKind::kDataset))
        Skip(KindName(object.kind), object.name, "it has no form that viand can write");
      return arrow::Status::OK();
    }
    VIAND_ASSIGN_OR_RETURN(const auto message,
                           ParseMessage(object.kind, object.name, object.content));
    if (object.kind == ObjectKind::kEntity)
      AddEntity(static_cast<const feast::core::Entity&>(*message).spec());
    else if (object.kind == ObjectKind::kDataSource)
      AddSource(static_cast<const DataSource&>(*message));
    else if (object.kind == ObjectKind::kFeatureView)
      AddView(static_cast<const feast::core::FeatureView&>(*message).spec());
    else
      AddService(static_cast<const feast::core::FeatureService&>(*message).spec());
    return arrow::Status::OK();
  }

  std::string Text(const std::string& project) const {
    std::string text =
        fmt::format("# Feast's definitions of project {}, written by viand.\n", project);
    for (const std::string& line : skipped_) text += "# " + line + "\n";
    text +=
        "from datetime import timedelta\n\n"
        "from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType\n"
        "from feast.types import (Array, Bool, Bytes, Float32, Float64, Int32, Int64, Json, Map, "
        "String, UnixTimestamp, Uuid)\n";
    return text + body_;
  }

 private:
  void Skip(const std::string& kind, const std::string& name, const std::string& why) {
    skipped_.push_back(fmt::format("not written: {} {}: {}", kind, name, why));
  }

  /// A variable of a name, another where it is taken.
  std::string Define(const std::string& name, const Call& call) {
    std::string variable = Variable(name);
    while (!taken_.insert(variable).second) variable += "_";
    body_ += "\n" + variable + " = " + call.Text();
    return variable;
  }

  void AddEntity(const feast::core::EntitySpecV2& spec) {
    Call call("Entity");
    call.AddText("name", spec.name());
    call.Add("join_keys", "[" + Quoted(spec.join_key()) + "]");
    if (spec.value_type() != ValueType::INVALID)
      call.Add("value_type", "ValueType." + ValueType::Enum_Name(spec.value_type()));
    call.AddText("description", spec.description());
    call.AddText("owner", spec.owner());
    call.AddTags(spec.tags());
    entities_[spec.name()] = Define(spec.name(), call);
  }

  /// The variable of a file source, made once; empty for another kind of source.
  std::string SourceVariable(const DataSource& source) {
    if (source.type() != DataSource::BATCH_FILE) return "";
    DataSource bare = source;
    bare.clear_meta();
    bare.clear_tags();
    bare.clear_project();
    bare.clear_data_source_class_type();
    const std::string key = SerializeMessage(bare);
    if (const auto known = sources_.find(key); known != sources_.end()) return known->second;
    Call call("FileSource");
    call.AddText("name", source.name());
    call.AddText("path", source.file_options().uri());
    call.AddText("timestamp_field", source.timestamp_field());
    call.AddText("created_timestamp_column", source.created_timestamp_column());
    if (!source.field_mapping().empty())
      call.Add("field_mapping", Call::Mapping(source.field_mapping()));
    call.AddText("s3_endpoint_override", source.file_options().s3_endpoint_override());
    call.AddText("description", source.description());
    call.AddText("owner", source.owner());
    call.AddTags(source.tags());
    return sources_[key] = Define(source.name() + "_source", call);
  }

  void AddSource(const DataSource& source) {
    if (SourceVariable(source).empty())
      Skip("data source", source.name(),
           "its kind is " + DataSource::SourceType_Name(source.type()));
  }

  std::string FieldText(const FeatureSpecV2& column) {
    std::string text =
        fmt::format("Field(name={}, dtype={}", Quoted(column.name()), DtypeOf(column.value_type()));
    if (!column.description().empty()) text += ", description=" + Quoted(column.description());
    if (!column.tags().empty()) text += ", tags=" + Call::Mapping(column.tags());
    return text + ")";
  }

  std::string SchemaOf(const feast::core::FeatureViewSpec& spec) {
    std::string text = "[\n";
    for (const auto* columns : {&spec.entity_columns(), &spec.features()}) {
      for (const auto& column : *columns) {
        if (column.name() == kDummyJoinKey || DtypeOf(column.value_type()).empty()) continue;
        text += "        " + FieldText(column) + ",\n";
      }
    }
    return text + "    ]";
  }

  void AddView(const feast::core::FeatureViewSpec& spec) {
    const std::string source = SourceVariable(spec.batch_source());
    if (source.empty())
      return Skip("feature view", spec.name(),
                  "its source is a " + DataSource::SourceType_Name(spec.batch_source().type()));
    std::string entities;
    for (const std::string& name : spec.entities())
      if (entities_.contains(name)) entities += (entities.empty() ? "" : ", ") + entities_.at(name);
    Call call("FeatureView");
    call.AddText("name", spec.name());
    call.Add("entities", "[" + entities + "]");
    call.Add("ttl", fmt::format("timedelta(seconds={}, microseconds={})", spec.ttl().seconds(),
                                spec.ttl().nanos() / 1000));
    call.Add("schema", SchemaOf(spec));
    call.Add("source", source);
    call.Add("online", spec.online() ? "True" : "False");
    call.AddText("description", spec.description());
    call.AddText("owner", spec.owner());
    call.AddTags(spec.tags());
    views_[spec.name()] = {Define(spec.name(), call), spec.features_size()};
  }

  std::string ProjectionText(const feast::core::FeatureViewProjection& projection) {
    const auto view = views_.find(projection.feature_view_name());
    if (projection.has_version_tag()) {
      // Feast takes a version of a view as a text.
      std::string texts;
      for (const auto& column : projection.feature_columns())
        texts += (texts.empty() ? "" : ", ") +
                 Quoted(fmt::format("{}@v{}:{}", projection.feature_view_name(),
                                    projection.version_tag(), column.name()));
      return texts;
    }
    if (view == views_.end()) return "";
    std::string text = view->second.first;
    if (projection.feature_columns_size() != view->second.second) {
      std::string names;
      for (const auto& column : projection.feature_columns())
        names += (names.empty() ? "" : ", ") + Quoted(column.name());
      text += "[[" + names + "]]";
    }
    if (!projection.feature_view_name_alias().empty())
      text += fmt::format(".with_name({})", Quoted(projection.feature_view_name_alias()));
    if (!projection.join_key_map().empty())
      text += fmt::format(".with_join_key_map({})", Call::Mapping(projection.join_key_map()));
    return text;
  }

  void AddService(const feast::core::FeatureServiceSpec& spec) {
    std::string features;
    for (const auto& projection : spec.features()) {
      const std::string text = ProjectionText(projection);
      if (text.empty())
        return Skip("feature service", spec.name(),
                    fmt::format("it reads {}", projection.feature_view_name()));
      features += "        " + text + ",\n";
    }
    Call call("FeatureService");
    call.AddText("name", spec.name());
    call.Add("features", "[\n" + features + "    ]");
    call.AddText("description", spec.description());
    call.AddText("owner", spec.owner());
    call.AddTags(spec.tags());
    Define(spec.name(), call);
  }

  std::string body_;
  std::vector<std::string> skipped_;
  std::set<std::string> taken_ = {"Entity",     "FeatureService", "FeatureView", "Field",
                                  "FileSource", "ValueType",      "timedelta"};
  std::map<std::string, std::string> entities_, sources_;
  std::map<std::string, std::pair<std::string, int>> views_;
};

}  // namespace

arrow::Result<std::string> FeastPython(const std::string& project,
                                       const std::vector<StoredObject>& objects) {
  Program program;
  for (const ObjectKind kind :
       {ObjectKind::kEntity, ObjectKind::kDataSource, ObjectKind::kFeatureView,
        ObjectKind::kStreamFeatureView, ObjectKind::kOnDemandFeatureView, ObjectKind::kLabelView,
        ObjectKind::kFeatureService, ObjectKind::kSavedDataset, ObjectKind::kValidationReference,
        ObjectKind::kPermission}) {
    for (const StoredObject& object : objects)
      if (object.kind == kind) VIAND_RETURN_NOT_OK(program.Add(object));
  }
  return program.Text(project);
}

}  // namespace viand::registry
