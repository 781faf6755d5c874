#include "src/registry/feast_messages.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "feast/core/project.pb.h"
#include "src/common/time.h"

namespace viand::registry {
namespace {

using definition::BoundFeature;
using definition::BoundView;
using FeatureColumns = google::protobuf::RepeatedPtrField<feast::core::FeatureSpecV2>;
using TagMap = google::protobuf::Map<std::string, std::string>;
using feast::types::ValueType;

constexpr char kFileSourceClass[] = "feast.infra.offline_stores.file_source.FileSource";

void SetTags(const FeastContext& context, const definition::Tags& tags,
             const std::string& definition, TagMap* out) {
  out->clear();
  for (const auto& [key, value] : tags) (*out)[key] = value;
  (*out)[kRepoTag] = context.project;
  (*out)[kDefinitionTag] = definition;
}

arrow::Result<ValueType::Enum> TypeByName(const SourceLocation& where, const std::string& name) {
  if (name.empty() || name == "UNKNOWN") return ValueType::INVALID;
  ValueType::Enum type = ValueType::INVALID;
  if (ValueType::Enum_Parse(name, &type)) return type;
  return ErrorAt(where, ErrorKind::kDefinition, fmt::format("\"{}\" is not a type of Feast", name));
}

feast::core::FeatureSpecV2* FindColumn(FeatureColumns* columns, const std::string& name) {
  for (auto& column : *columns)
    if (column.name() == name) return &column;
  return nullptr;
}

// Appends a column that starts from the stored one of the same name.
feast::core::FeatureSpecV2* AddColumn(const std::string& name, FeatureColumns* stored,
                                      FeatureColumns* columns) {
  auto* column = columns->Add();
  if (const auto* old = FindColumn(stored, name)) *column = *old;
  column->set_name(name);
  return column;
}

arrow::Status SetType(const SourceLocation& where, const arrow::DataType* type,
                      feast::core::FeatureSpecV2* column) {
  if (type == nullptr) return arrow::Status::OK();
  auto name = definition::FeastTypeOf(*type);
  if (!name.ok()) return WithContext(name.status(), fmt::format("column \"{}\": ", column->name()));
  VIAND_ASSIGN_OR_RETURN(const auto value_type, TypeByName(where, *name));
  column->set_value_type(value_type);
  return arrow::Status::OK();
}

arrow::Status SetFeatures(const BoundView& bound, feast::core::FeatureViewSpec* spec) {
  FeatureColumns stored;
  stored.Swap(spec->mutable_features());
  for (const BoundFeature& bound_feature : bound.features) {
    const definition::Feature& feature = *bound_feature.feature;
    auto* column = AddColumn(feature.name, &stored, spec->mutable_features());
    column->set_description(feature.description);
    column->mutable_tags()->clear();
    for (const auto& [key, value] : feature.tags) (*column->mutable_tags())[key] = value;
    if (const auto logical = definition::LogicalFeastType(feature.type)) {
      VIAND_ASSIGN_OR_RETURN(const auto type, TypeByName(feature.where, *logical));
      column->set_value_type(type);
    } else {
      VIAND_RETURN_NOT_OK(SetType(feature.where, bound_feature.type.get(), column));
    }
  }
  return arrow::Status::OK();
}

arrow::Status SetEntities(const FeastContext& context, const BoundView& bound,
                          feast::core::FeatureViewSpec* spec) {
  FeatureColumns stored;
  stored.Swap(spec->mutable_entity_columns());
  spec->clear_entities();
  for (const definition::Reference& reference : bound.view->entities) {
    for (const EntityPart& part : context.entities.at(reference.name)) {
      spec->add_entities(part.name);
      auto* column = AddColumn(part.join_key, &stored, spec->mutable_entity_columns());
      const auto field =
          bound.output == nullptr ? nullptr : bound.output->GetFieldByName(part.join_key);
      VIAND_ASSIGN_OR_RETURN(const auto declared, TypeByName(reference.where, part.value_type));
      if (declared != ValueType::INVALID) column->set_value_type(declared);
      // Feast has no type for some keys: a decimal, a time of day. They are stored without one.
      if (field == nullptr || !definition::IsFeastKeyType(*field->type())) continue;
      VIAND_RETURN_NOT_OK(SetType(reference.where, field->type().get(), column));
    }
  }
  if (spec->entities_size() > 0) return arrow::Status::OK();
  spec->add_entities(kDummyEntity);
  AddColumn(kDummyJoinKey, &stored, spec->mutable_entity_columns())
      ->set_value_type(ValueType::STRING);
  return arrow::Status::OK();
}

// The folder of a view's rows. Without snapshots nothing is ever stored, and the name tells whoever
// looks for it why.
std::string ViewPath(const FeastContext& context, const definition::FeatureView& view) {
  return fmt::format("{}/data/offline/{}/{}/*.parquet", context.root,
                     view.rows_of.empty() ? view.name : view.rows_of,
                     view.snapshots ? "current" : "computed-at-retrieval-only-by-viand");
}

void SetFileSource(const std::string& uri, const std::string& s3_endpoint_override,
                   feast::core::DataSource* message) {
  message->set_type(feast::core::DataSource::BATCH_FILE);
  message->mutable_file_options()->set_uri(uri);
  message->mutable_file_options()->set_s3_endpoint_override(s3_endpoint_override);
}

// The source of ready columns; a view that reads another view has that view's rows.
void SetBatchSource(const FeastContext& context, const BoundView& bound,
                    feast::core::DataSource* message) {
  const definition::FeatureView& view = *bound.view;
  message->set_data_source_class_type(kFileSourceClass);
  if (view.computed) {
    message->set_name(view.name);
    message->set_timestamp_field("event_timestamp");
    message->clear_created_timestamp_column();
    message->clear_field_mapping();
    return SetFileSource(ViewPath(context, view), "", message);
  }
  if (const auto source = context.sources.find(view.source.name); source != context.sources.end())
    return FillSource(context, *source->second, message);
  if (const auto upstream = context.views.find(view.source.name); upstream != context.views.end())
    SetBatchSource(context, *upstream->second, message);
}

void SetDuration(int64_t duration_us, google::protobuf::Duration* message) {
  message->set_seconds(duration_us / kMicrosPerSecond);
  message->set_nanos(static_cast<int32_t>(duration_us % kMicrosPerSecond * 1000));
}

using Projection = feast::core::FeatureViewProjection;

std::string NameOf(const Projection& projection) {
  if (!projection.has_version_tag()) return projection.feature_view_name();
  return fmt::format("{}@v{}", projection.feature_view_name(), projection.version_tag());
}

arrow::Status SetProjectionColumns(const definition::FeatureReference& reference,
                                   const feast::core::FeatureViewSpec& view,
                                   Projection* projection) {
  if (reference.features.empty()) {
    *projection->mutable_feature_columns() = view.features();
    return arrow::Status::OK();
  }
  projection->clear_feature_columns();
  for (const std::string& name : reference.features) {
    const auto& columns = view.features();
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.name() == name; });
    if (found == columns.end())
      return ErrorAt(reference.view.where, ErrorKind::kDefinition,
                     fmt::format("view \"{}\" has no feature \"{}\"", view.name(), name));
    *projection->add_feature_columns() = *found;
  }
  return arrow::Status::OK();
}

arrow::Status FillProjection(const definition::FeatureReference& reference,
                             const feast::core::FeatureViewSpec& view, Projection* projection) {
  // NAME@vN is Feast's view NAME, its version N.
  const size_t at = view.name().find("@v");
  projection->set_feature_view_name(view.name().substr(0, at));
  projection->clear_version_tag();
  if (at != std::string::npos) projection->set_version_tag(std::stoi(view.name().substr(at + 2)));
  projection->set_feature_view_name_alias(reference.alias);
  projection->mutable_join_key_map()->clear();
  for (const auto& [from, to] : reference.join_key_map)
    (*projection->mutable_join_key_map())[from] = to;
  projection->set_timestamp_field(view.batch_source().timestamp_field());
  projection->set_created_timestamp_column(view.batch_source().created_timestamp_column());
  *projection->mutable_batch_source() = view.batch_source();
  // A projection shows where the view's rows are; when they were put there is the view's matter.
  projection->mutable_batch_source()->clear_meta();
  projection->set_view_type("featureView");
  return SetProjectionColumns(reference, view, projection);
}

}  // namespace

std::vector<EntityPart> PartsOf(const definition::Entity& entity) {
  std::vector<EntityPart> parts;
  for (size_t i = 0; i < entity.join_keys.size(); ++i) {
    const std::string& key = entity.join_keys[i];
    parts.push_back({i == 0 ? entity.name : fmt::format("{}__{}", entity.name, key), key,
                     i < entity.value_types.size() ? entity.value_types[i] : "UNKNOWN"});
  }
  return parts;
}

std::string AbsolutePath(const std::string& root, const std::string& path) {
  const bool complete = path.starts_with('/') || path.find("://") != std::string::npos;
  return complete ? path : fmt::format("{}/{}", root, path);
}

void FillProject(const definition::RepoConfig& config, feast::core::Project* message) {
  message->mutable_spec()->set_name(config.project);
  if (!config.description.empty()) message->mutable_spec()->set_description(config.description);
}

arrow::Status FillEntity(const FeastContext& context, const definition::Entity& entity,
                         const EntityPart& part, const std::string& definition,
                         feast::core::Entity* message) {
  auto* spec = message->mutable_spec();
  VIAND_ASSIGN_OR_RETURN(const auto type, TypeByName(entity.where, part.value_type));
  if (type != ValueType::INVALID) spec->set_value_type(type);
  spec->set_name(part.name);
  spec->set_join_key(part.join_key);
  spec->set_description(entity.description);
  spec->set_owner(entity.owner);
  SetTags(context, entity.tags, definition, spec->mutable_tags());
  return arrow::Status::OK();
}

void FillDummyEntity(feast::core::Entity* message) {
  message->mutable_spec()->set_name(kDummyEntity);
  message->mutable_spec()->set_join_key(kDummyJoinKey);
}

void FillSource(const FeastContext& context, const definition::Source& source,
                feast::core::DataSource* message) {
  message->set_name(source.name);
  message->set_description(source.description);
  message->set_owner(source.owner);
  message->set_timestamp_field(source.timestamp_field);
  message->set_created_timestamp_column(source.created_timestamp_column);
  message->mutable_field_mapping()->clear();
  for (const auto& [from, to] : source.field_mapping)
    (*message->mutable_field_mapping())[from] = to;
  SetTags(context, source.tags, CanonicalText(source), message->mutable_tags());
  SetFileSource(AbsolutePath(context.root, source.path), source.s3_endpoint_override, message);
}

arrow::Status FillView(const FeastContext& context, const BoundView& bound,
                       feast::core::FeatureView* message) {
  const definition::FeatureView& view = *bound.view;
  auto* spec = message->mutable_spec();
  spec->set_name(view.name);
  spec->set_project(context.project);
  spec->set_description(view.description);
  spec->set_owner(view.owner);
  spec->set_online(view.online);
  if (spec->version().empty()) spec->set_version("latest");
  SetTags(context, view.tags, CanonicalText(view), spec->mutable_tags());
  SetDuration(bound.ttl_us, spec->mutable_ttl());
  SetBatchSource(context, bound, spec->mutable_batch_source());
  VIAND_RETURN_NOT_OK(SetEntities(context, bound, spec));
  return SetFeatures(bound, spec);
}

arrow::Status FillService(const FeastContext& context, const definition::FeatureService& service,
                          const std::map<std::string, feast::core::FeatureView>& views,
                          feast::core::FeatureService* message) {
  auto* spec = message->mutable_spec();
  spec->set_name(service.name);
  spec->set_project(context.project);
  spec->set_description(service.description);
  spec->set_owner(service.owner);
  SetTags(context, service.tags, CanonicalText(service), spec->mutable_tags());
  google::protobuf::RepeatedPtrField<Projection> stored;
  stored.Swap(spec->mutable_features());
  for (const definition::FeatureReference& reference : service.features) {
    auto* projection = spec->add_features();
    const auto old = std::find_if(stored.begin(), stored.end(), [&](const Projection& candidate) {
      return NameOf(candidate) == reference.view.name &&
             candidate.feature_view_name_alias() == reference.alias;
    });
    if (old != stored.end()) *projection = *old;
    const auto view = views.find(reference.view.name);
    if (view == views.end())
      return ErrorAt(reference.view.where, ErrorKind::kDefinition,
                     fmt::format("unknown feature view \"{}\"", reference.view.name));
    VIAND_RETURN_NOT_OK(FillProjection(reference, view->second.spec(), projection));
  }
  return arrow::Status::OK();
}

}  // namespace viand::registry
