#include "src/registry/stored_definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "feast/core/stream_feature_view.pb.h"
#include "src/common/time.h"
#include "src/definition/validation.h"
#include "src/definition/window_text.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"
#include "src/registry/json_diff.h"

namespace viand::registry {
namespace {

using feast::core::DataSource;
using feast::types::ValueType;
using TagMap = google::protobuf::Map<std::string, std::string>;

template <class Objects>
bool HasNamed(const Objects& objects, const std::string& name) {
  return std::any_of(objects.begin(), objects.end(),
                     [&](const auto& object) { return object.name == name; });
}

template <class Spec>
void SetDocumentation(const Spec& spec, definition::Object* object) {
  object->description = spec.description();
  object->owner = spec.owner();
  for (const auto& [key, value] : spec.tags())
    if (key != kRepoTag && key != kDefinitionTag) object->tags[key] = value;
}

std::string DefinitionOf(const TagMap& tags) {
  const auto found = tags.find(kDefinitionTag);
  return found == tags.end() ? "" : found->second;
}

/// Where the rows of a stream or push source are kept.
const DataSource& BatchSourceOf(const DataSource& source) {
  return source.has_batch_source() ? source.batch_source() : source;
}

definition::Source ToSource(const DataSource& message) {
  definition::Source source;
  source.stored_only = true;
  source.name = message.name();
  SetDocumentation(message, &source);
  source.path = message.file_options().uri();
  source.s3_endpoint_override = message.file_options().s3_endpoint_override();
  source.timestamp_field = message.timestamp_field();
  source.created_timestamp_column = message.created_timestamp_column();
  for (const auto& [from, to] : message.field_mapping()) source.field_mapping[from] = to;
  return source;
}

definition::Entity ToEntity(const feast::core::Entity& message) {
  const auto& spec = message.spec();
  definition::Entity entity;
  entity.stored_only = true;
  entity.name = spec.name();
  SetDocumentation(spec, &entity);
  entity.join_keys = {spec.join_key()};
  entity.value_types = {ValueType::Enum_Name(spec.value_type())};
  // An entity of viand's with several keys is stored in parts, which its definition names.
  const auto definition = ParseJson(DefinitionOf(spec.tags()));
  if (definition.ok() && definition->contains("join_keys"))
    entity.join_keys = (*definition)["join_keys"].get<std::vector<std::string>>();
  return entity;
}

definition::FeatureService ToService(const feast::core::FeatureService& message) {
  definition::FeatureService service;
  service.stored_only = true;
  service.name = message.spec().name();
  SetDocumentation(message.spec(), &service);
  for (const auto& projection : message.spec().features()) {
    definition::FeatureReference reference;
    reference.view.name = projection.feature_view_name();
    if (projection.has_version_tag())
      reference.view.name += fmt::format("@v{}", projection.version_tag());
    for (const auto& column : projection.feature_columns())
      reference.features.push_back(column.name());
    reference.alias = projection.feature_view_name_alias();
    for (const auto& [key, column] : projection.join_key_map())
      reference.join_key_map[key] = column;
    service.features.push_back(std::move(reference));
  }
  return service;
}

arrow::Status CannotRead(const std::string& view, const std::string& why, const std::string& hint) {
  return MakeError(ErrorKind::kInput,
                   fmt::format("feature view \"{}\" of the registry cannot be read: {}", view, why),
                   hint);
}

}  // namespace

/// What the kinds of views have alike.
struct StoredDefinitions::Part {
  std::string name;
  definition::Object documentation;
  std::vector<std::string> entities;
  google::protobuf::RepeatedPtrField<feast::core::FeatureSpecV2> features;
  std::string definition;  ///< viand's; empty: ready columns
  DataSource source;
  int64_t ttl_us = 0;
  bool online = false;
};

namespace {

template <class Part, class Spec>
Part PartOf(const Spec& spec, const DataSource& source) {
  Part part;
  part.name = spec.name();
  SetDocumentation(spec, &part.documentation);
  part.entities = {spec.entities().begin(), spec.entities().end()};
  part.features = spec.features();
  part.definition = DefinitionOf(spec.tags());
  part.source = BatchSourceOf(source);
  part.ttl_us = spec.ttl().seconds() * kMicrosPerSecond + spec.ttl().nanos() / 1000;
  part.online = spec.online();
  return part;
}

}  // namespace

bool StoredDefinitions::HasView(const std::string& name) const {
  return snapshot_.Find(ObjectKind::kFeatureView, name) != nullptr ||
         snapshot_.Find(ObjectKind::kStreamFeatureView, name) != nullptr;
}

std::vector<std::string> StoredDefinitions::NamesOf(ObjectKind kind) const {
  std::vector<std::string> names;
  for (const auto& [key, object] : snapshot_.objects) {
    const bool stream =
        kind == ObjectKind::kFeatureView && key.first == ObjectKind::kStreamFeatureView;
    if (key.first == kind || stream) names.push_back(key.second);
  }
  return names;
}

arrow::Result<StoredDefinitions::Part> StoredDefinitions::PartsOf(
    ObjectKind kind, const std::string& name, const std::string& content) const {
  if (kind == ObjectKind::kStreamFeatureView) {
    feast::core::StreamFeatureView view;
    if (!view.ParseFromString(content))
      return CannotRead(name, "its bytes are no message of Feast", "");
    const auto& spec = view.spec();
    return PartOf<Part>(spec, spec.has_batch_source() ? spec.batch_source() : spec.stream_source());
  }
  VIAND_ASSIGN_OR_RETURN(const auto message, ParseMessage(kind, name, content));
  const auto& spec = static_cast<const feast::core::FeatureView&>(*message).spec();
  return PartOf<Part>(spec, spec.has_batch_source() ? spec.batch_source() : spec.stream_source());
}

arrow::Result<definition::FeatureView> StoredDefinitions::ViewOf(const Part& part) const {
  definition::FeatureView view;
  if (!part.definition.empty()) {
    VIAND_ASSIGN_OR_RETURN(view, definition::ViewFromCanonicalText(part.definition));
  } else {
    view.entities.reserve(part.entities.size());
    for (const std::string& entity : part.entities)
      if (entity != kDummyEntity) view.entities.push_back({entity, {}});
    view.source.name = part.source.name().empty() ? part.name : part.source.name();
    view.ttl_us = part.ttl_us;
    view.online = part.online;
    for (const auto& column : part.features) {
      definition::Feature feature;
      feature.name = column.name();
      feature.description = column.description();
      for (const auto& [key, value] : column.tags()) feature.tags[key] = value;
      // Types that only Feast knows are those of the file.
      const std::string type = ValueType::Enum_Name(column.value_type());
      if (definition::TypeFromFeast(type).ok() || definition::LogicalFeastType(type))
        feature.type = type;
      view.features.push_back(std::move(feature));
    }
  }
  view.name = part.name;
  view.stored_only = true;
  view.description = part.documentation.description;
  view.owner = part.documentation.owner;
  view.tags = part.documentation.tags;
  return view;
}

arrow::Status StoredDefinitions::AddEntities(const Part& part, definition::FeatureView* view) {
  for (const definition::Reference& reference : view->entities) {
    if (HasNamed(definitions_->entities, reference.name)) continue;
    const StoredObject* stored = snapshot_.Find(ObjectKind::kEntity, reference.name);
    if (stored == nullptr)
      return CannotRead(part.name,
                        fmt::format("its entity \"{}\" is not in the registry", reference.name),
                        "apply the entity again");
    VIAND_RETURN_NOT_OK(AddEntity(reference.name));
  }
  return arrow::Status::OK();
}

arrow::Status StoredDefinitions::AddSourceOf(const Part& part, definition::FeatureView* view) {
  const bool computed = !part.definition.empty();
  if (computed && HasNamed(definitions_->feature_views, view->source.name))
    return arrow::Status::OK();
  if (computed) {
    if (HasNamed(definitions_->sources, view->source.name)) return arrow::Status::OK();
    if (HasView(view->source.name)) return AddView(view->source.name);
    const StoredObject* stored = snapshot_.Find(ObjectKind::kDataSource, view->source.name);
    if (stored == nullptr)
      return CannotRead(part.name,
                        fmt::format("it reads the source \"{}\", which neither the definitions nor "
                                    "the registry have",
                                    view->source.name),
                        "define the source again");
    VIAND_ASSIGN_OR_RETURN(const auto message,
                           ParseMessage(ObjectKind::kDataSource, stored->name, stored->content));
    definitions_->sources.push_back(ToSource(static_cast<const DataSource&>(*message)));
    return arrow::Status::OK();
  }
  if (part.source.type() != DataSource::BATCH_FILE)
    return CannotRead(part.name,
                      fmt::format("its source is a {}, and viand reads files",
                                  DataSource::SourceType_Name(part.source.type())),
                      "read it with Feast, or give the view a file source");
  definition::Source source = ToSource(part.source);
  source.name = view->source.name;
  // Feast keeps a source inside the view; another of that name may be elsewhere by now.
  for (const definition::Source& known : definitions_->sources) {
    if (known.name != source.name) continue;
    if (CanonicalText(known) == CanonicalText(source)) return arrow::Status::OK();
    source.name = view->source.name = fmt::format("{} of {}", source.name, view->name);
    break;
  }
  definitions_->sources.push_back(std::move(source));
  return arrow::Status::OK();
}

arrow::Status StoredDefinitions::AddEntity(const std::string& name) {
  const StoredObject* stored = snapshot_.Find(ObjectKind::kEntity, name);
  if (stored == nullptr)
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown entity \"{}\"", name));
  if (HasNamed(definitions_->entities, name)) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto message,
                         ParseMessage(ObjectKind::kEntity, stored->name, stored->content));
  definition::Entity entity = ToEntity(static_cast<const feast::core::Entity&>(*message));
  // Feast declares STRING where nothing was said: the files tell.
  entity.value_types.assign(entity.join_keys.size(), "UNKNOWN");
  definitions_->entities.push_back(std::move(entity));
  return arrow::Status::OK();
}

arrow::Status StoredDefinitions::AddSource(const std::string& name) {
  const StoredObject* stored = snapshot_.Find(ObjectKind::kDataSource, name);
  if (stored == nullptr)
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown data source \"{}\"", name));
  VIAND_ASSIGN_OR_RETURN(const auto message,
                         ParseMessage(ObjectKind::kDataSource, stored->name, stored->content));
  const auto& source = static_cast<const DataSource&>(*message);
  if (source.type() != DataSource::BATCH_FILE)
    return MakeError(ErrorKind::kInput,
                     fmt::format("data source \"{}\" is a {}, and viand reads files", name,
                                 DataSource::SourceType_Name(source.type())));
  for (definition::Source& known : definitions_->sources) {
    if (known.name != name) continue;
    // A view had its own copy first: the source itself is what its name means.
    known = ToSource(source);
    return arrow::Status::OK();
  }
  definitions_->sources.push_back(ToSource(source));
  return arrow::Status::OK();
}

void StoredDefinitions::DeclareEntityTypes() {
  for (definition::Entity& entity : definitions_->entities) {
    const StoredObject* stored = snapshot_.Find(ObjectKind::kEntity, entity.name);
    feast::core::Entity message;
    if (!entity.stored_only || stored == nullptr || !message.ParseFromString(stored->content))
      continue;
    const std::string type = ValueType::Enum_Name(message.spec().value_type());
    if (definition::TypeFromFeast(type).ok())
      entity.value_types.assign(entity.join_keys.size(), type);
  }
}

arrow::Status StoredDefinitions::AddSnapshots(const definition::FeatureView& view) {
  if (!view.snapshots || HasNamed(definitions_->snapshots, view.snapshots->name))
    return arrow::Status::OK();
  const StoredObject* stored = snapshot_.Find(ObjectKind::kSnapshots, view.snapshots->name);
  if (stored == nullptr)
    return CannotRead(view.name,
                      fmt::format("its snapshots \"{}\" are neither in the definitions nor in the "
                                  "registry",
                                  view.snapshots->name),
                      "define them again");
  VIAND_ASSIGN_OR_RETURN(const nlohmann::json tree, ParseJson(stored->content));
  const nlohmann::json text = tree.value("definition", nlohmann::json::object());
  definition::Snapshots snapshots;
  snapshots.stored_only = true;
  snapshots.name = view.snapshots->name;
  snapshots.source.name = text.value("source", "");
  VIAND_ASSIGN_OR_RETURN(snapshots.first, definition::ParseGridBound(text.value("first", ""), {}));
  VIAND_ASSIGN_OR_RETURN(snapshots.last, definition::ParseGridBound(text.value("last", ""), {}));
  VIAND_ASSIGN_OR_RETURN(snapshots.every_us, ParseDurationUs(text.value("every", "")));
  definitions_->snapshots.push_back(std::move(snapshots));
  return arrow::Status::OK();
}

arrow::Status StoredDefinitions::Add(definition::FeatureView view, const Part& part) {
  if (HasNamed(definitions_->feature_views, view.name)) return arrow::Status::OK();
  VIAND_RETURN_NOT_OK(AddEntities(part, &view));
  VIAND_RETURN_NOT_OK(AddSourceOf(part, &view));
  VIAND_RETURN_NOT_OK(AddSnapshots(view));
  definitions_->feature_views.push_back(std::move(view));
  return arrow::Status::OK();
}

arrow::Status StoredDefinitions::AddView(const std::string& name) {
  for (const ObjectKind kind : {ObjectKind::kFeatureView, ObjectKind::kStreamFeatureView}) {
    const StoredObject* stored = snapshot_.Find(kind, name);
    if (stored == nullptr) continue;
    VIAND_ASSIGN_OR_RETURN(const Part part, PartsOf(kind, name, stored->content));
    VIAND_ASSIGN_OR_RETURN(definition::FeatureView view, ViewOf(part));
    return Add(std::move(view), part);
  }
  if (snapshot_.Find(ObjectKind::kOnDemandFeatureView, name) != nullptr)
    return MakeError(ErrorKind::kUsage,
                     fmt::format("\"{}\" is an on demand feature view: its Python function runs in "
                                 "Feast only",
                                 name),
                     "ask for the features that it is computed from");
  if (snapshot_.Find(ObjectKind::kLabelView, name) != nullptr)
    return MakeError(ErrorKind::kUsage,
                     fmt::format("\"{}\" is a label view; a label is never a feature", name),
                     "read its source as the spine");
  return MakeError(ErrorKind::kNotFound, fmt::format("unknown feature view \"{}\"", name));
}

arrow::Status StoredDefinitions::AddVersion(const std::string& name, int64_t version,
                                            const std::string& content) {
  const std::string versioned = fmt::format("{}@v{}", name, version);
  if (HasNamed(definitions_->feature_views, versioned)) return arrow::Status::OK();
  const ObjectKind kind = snapshot_.Find(ObjectKind::kStreamFeatureView, name) != nullptr
                              ? ObjectKind::kStreamFeatureView
                              : ObjectKind::kFeatureView;
  VIAND_ASSIGN_OR_RETURN(const Part part, PartsOf(kind, name, content));
  VIAND_ASSIGN_OR_RETURN(definition::FeatureView view, ViewOf(part));
  // What the registry's current version computes is what its view has stored, where the repo still
  // defines it so.
  for (const definition::FeatureView& current : definitions_->feature_views) {
    if (current.name == name && current.snapshots && CanonicalText(current) == CanonicalText(view))
      view.rows_of = name;
  }
  view.name = versioned;
  view.version = version;
  return Add(std::move(view), part);
}

arrow::Result<std::vector<std::string>> StoredDefinitions::AddService(const std::string& name) {
  const StoredObject* stored = snapshot_.Find(ObjectKind::kFeatureService, name);
  if (stored == nullptr)
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown feature service \"{}\"", name));
  VIAND_ASSIGN_OR_RETURN(const auto message,
                         ParseMessage(ObjectKind::kFeatureService, name, stored->content));
  definition::FeatureService service =
      ToService(static_cast<const feast::core::FeatureService&>(*message));
  std::vector<std::string> views;
  for (const auto& reference : service.features) views.push_back(reference.view.name);
  definitions_->feature_services.push_back(std::move(service));
  return views;
}

namespace {

// The words about an object that its definition leaves out, and those about its features.
void AddDocumentation(const definition::Object& object, nlohmann::json* text) {
  if (!object.description.empty()) (*text)["description"] = object.description;
  if (!object.owner.empty()) (*text)["owner"] = object.owner;
  if (!object.tags.empty()) (*text)["tags"] = object.tags;
}

template <class Spec>
arrow::Result<nlohmann::json> OwnText(const Spec& spec) {
  VIAND_ASSIGN_OR_RETURN(nlohmann::json text, ParseJson(DefinitionOf(spec.tags())));
  definition::Object words;
  SetDocumentation(spec, &words);
  AddDocumentation(words, &text);
  return text;
}

std::string BelowRoot(const std::string& root, const std::string& path) {
  return path.starts_with(root + "/") ? path.substr(root.size() + 1) : path;
}

void AddFeatureWords(const google::protobuf::RepeatedPtrField<feast::core::FeatureSpecV2>& columns,
                     nlohmann::json* features) {
  for (nlohmann::json& feature : *features) {
    for (const auto& column : columns) {
      if (column.name() != feature.value("name", "")) continue;
      if (!column.description().empty()) feature["description"] = column.description();
      for (const auto& [key, value] : column.tags()) feature["tags"][key] = value;
    }
  }
}

constexpr auto kWithWords = definition::CanonicalScope::kWithDocumentation;

}  // namespace

arrow::Result<std::string> DefinitionText(ObjectKind kind, const std::string& name,
                                          const std::string& content, const std::string& root) {
  if (kind == ObjectKind::kLabels || kind == ObjectKind::kSnapshots) {
    VIAND_ASSIGN_OR_RETURN(const nlohmann::json tree, ParseJson(content));
    return tree.value("definition", nlohmann::json::object()).dump();
  }
  if (kind == ObjectKind::kDataset || kind == ObjectKind::kModel) return content;
  VIAND_ASSIGN_OR_RETURN(const auto message, ParseMessage(kind, name, content));
  nlohmann::json text;
  if (kind == ObjectKind::kEntity) {
    const auto& entity = static_cast<const feast::core::Entity&>(*message);
    if (DefinitionOf(entity.spec().tags()).empty())
      return CanonicalText(ToEntity(entity), kWithWords);
    VIAND_ASSIGN_OR_RETURN(text, OwnText(entity.spec()));
  } else if (kind == ObjectKind::kDataSource) {
    const auto& stored = static_cast<const DataSource&>(*message);
    if (DefinitionOf(stored.tags()).empty()) {
      definition::Source source = ToSource(stored);
      source.path = BelowRoot(root, source.path);
      return CanonicalText(source, kWithWords);
    }
    VIAND_ASSIGN_OR_RETURN(text, OwnText(stored));
  } else if (kind == ObjectKind::kFeatureService) {
    const auto& service = static_cast<const feast::core::FeatureService&>(*message);
    if (DefinitionOf(service.spec().tags()).empty())
      return CanonicalText(ToService(service), kWithWords);
    VIAND_ASSIGN_OR_RETURN(text, OwnText(service.spec()));
  } else if (kind == ObjectKind::kFeatureView) {
    const auto& spec = static_cast<const feast::core::FeatureView&>(*message).spec();
    if (DefinitionOf(spec.tags()).empty())
      return MakeError(ErrorKind::kUsage,
                       fmt::format("feature view \"{}\" was not written by viand", name),
                       "`viand import` makes definitions of what Feast has applied");
    VIAND_ASSIGN_OR_RETURN(text, OwnText(spec));
    AddFeatureWords(spec.features(), &text["features"]);
  } else {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("viand has no definitions of a {}", KindName(kind)));
  }
  return text.dump();
}

}  // namespace viand::registry
