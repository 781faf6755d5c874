#include "src/registry/registry_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/registry.pb.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_tables.h"
#include "src/registry/new_uuid.h"
#include "src/registry/wire_field.h"

namespace viand::registry {
namespace {

using ObjectList = google::protobuf::RepeatedPtrField<std::string>;
using feast::core::FeatureViewVersionRecord;
using RowKey = std::pair<std::string, std::string>;  // project, name

// The version of Feast's own schema that it writes and reads.
constexpr char kFeastSchemaVersion[] = "1";

/// Where the messages of a kind have their name, project and time; field 0: nowhere.
struct ObjectFields {
  ObjectKind kind;
  int spec;  ///< the message that has name and project; 0: the object itself
  int name;
  int project;  ///< 0: the name is the project
  int meta;
  int last_updated;
};

// Feast's numbers: never change.
constexpr std::array<ObjectFields, 11> kObjectFields = {{
    {ObjectKind::kProject, 1, 1, 0, 2, 2},
    {ObjectKind::kEntity, 1, 1, 9, 2, 2},
    {ObjectKind::kDataSource, 0, 20, 21, 50, 4},
    {ObjectKind::kFeatureView, 1, 1, 2, 2, 2},
    {ObjectKind::kStreamFeatureView, 1, 1, 2, 2, 2},
    {ObjectKind::kOnDemandFeatureView, 1, 1, 2, 2, 2},
    {ObjectKind::kLabelView, 1, 1, 2, 2, 2},
    {ObjectKind::kFeatureService, 1, 1, 2, 2, 2},
    {ObjectKind::kSavedDataset, 1, 1, 2, 2, 2},
    {ObjectKind::kValidationReference, 0, 1, 3, 0, 0},
    {ObjectKind::kPermission, 1, 1, 2, 2, 2},
}};

ObjectList* ListOf(ObjectKind kind, feast::core::Registry* registry) {
  switch (kind) {
    case ObjectKind::kProject:
      return registry->mutable_projects();
    case ObjectKind::kEntity:
      return registry->mutable_entities();
    case ObjectKind::kDataSource:
      return registry->mutable_data_sources();
    case ObjectKind::kFeatureView:
      return registry->mutable_feature_views();
    case ObjectKind::kStreamFeatureView:
      return registry->mutable_stream_feature_views();
    case ObjectKind::kOnDemandFeatureView:
      return registry->mutable_on_demand_feature_views();
    case ObjectKind::kLabelView:
      return registry->mutable_label_views();
    case ObjectKind::kFeatureService:
      return registry->mutable_feature_services();
    case ObjectKind::kSavedDataset:
      return registry->mutable_saved_datasets();
    case ObjectKind::kValidationReference:
      return registry->mutable_validation_references();
    default:
      return registry->mutable_permissions();
  }
}

std::string TextField(std::string_view message, int field) {
  const auto found = FindField(message, field);
  return found ? std::string(found->bytes) : std::string();
}

RowKey KeyOf(const ObjectFields& fields, const std::string& object) {
  const std::string spec = fields.spec == 0 ? object : TextField(object, fields.spec);
  std::string name = TextField(spec, fields.name);
  return {fields.project == 0 ? name : TextField(spec, fields.project), name};
}

int64_t UpdatedSeconds(const ObjectFields& fields, const std::string& object) {
  if (fields.meta == 0) return 0;
  const auto seconds = FindField(TextField(TextField(object, fields.meta), fields.last_updated), 1);
  return seconds ? static_cast<int64_t>(seconds->number) : 0;
}

arrow::Status Broken(const std::string& what) {
  return MakeError(ErrorKind::kRegistry, what,
                   "restore the file from a copy, or point registry.path elsewhere");
}

// All objects have a name, and a project that the file knows: one that was cut short between two
// fields lacks its end, which has the projects.
arrow::Status CheckObjects(feast::core::Registry* registry) {
  std::set<std::string> projects;
  for (const auto& metadata : registry->project_metadata()) projects.insert(metadata.project());
  for (const ObjectFields& fields : kObjectFields) {  // projects come first
    for (const std::string& object : *ListOf(fields.kind, registry)) {
      const auto [project, name] = KeyOf(fields, object);
      if (!IsMessage(object) || name.empty())
        return Broken(fmt::format("damaged: one of its objects, a {}, cannot be read",
                                  KindName(fields.kind)));
      if (fields.kind == ObjectKind::kProject) projects.insert(name);
      if (!projects.contains(project))
        return Broken(
            fmt::format("cut short: it has the {} \"{}\" of project \"{}\", and not the "
                        "project",
                        KindName(fields.kind), name, project));
    }
  }
  return arrow::Status::OK();
}

// A field that is known, and is not of its type, is kept with the unknown ones by the parser: a
// registry has none.
bool HasMistypedField(const feast::core::Registry& registry) {
  const auto& unknown = registry.GetReflection()->GetUnknownFields(registry);
  for (int i = 0; i < unknown.field_count(); ++i)
    if (registry.GetDescriptor()->FindFieldByNumber(unknown.field(i).number()) != nullptr)
      return true;
  return false;
}

std::string InsertSql(const FeastTable& table) {
  // Of two objects with one name Feast finds the first.
  const bool project = table.kind == ObjectKind::kProject;
  return fmt::format(
      "insert or ignore into {0} (project_id, {1}, last_updated_timestamp, {2}) values (?, ?, ?, "
      "?)",
      table.table, project ? "project_name" : table.name_column, table.content_column);
}

arrow::Status LoadObjects(const ObjectFields& fields, const ObjectList& objects,
                          SqlConnection* connection) {
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         connection->Prepare(InsertSql(*FeastTableOf(fields.kind))));
  for (const std::string& object : objects) {
    const auto [project, name] = KeyOf(fields, object);
    VIAND_RETURN_NOT_OK(statement->Bind(1, project));
    VIAND_RETURN_NOT_OK(statement->Bind(2, name));
    VIAND_RETURN_NOT_OK(statement->Bind(3, UpdatedSeconds(fields, object)));
    VIAND_RETURN_NOT_OK(statement->BindBlob(4, object));
    VIAND_RETURN_NOT_OK(statement->Run());
  }
  return arrow::Status::OK();
}

arrow::Status LoadMetadata(const feast::core::Registry& registry, SqlConnection* connection) {
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare("insert or ignore into feast_metadata (project_id, metadata_key, "
                          "metadata_value, last_updated_timestamp) values (?, ?, ?, ?)"));
  const int64_t seconds = registry.last_updated().seconds();
  for (const auto& metadata : registry.project_metadata()) {
    const std::pair<std::string, std::string> rows[] = {
        {"project_uuid", metadata.project_uuid()},
        {"last_updated_timestamp", std::to_string(seconds)}};
    for (const auto& [key, value] : rows) {
      VIAND_RETURN_NOT_OK(statement->Bind(1, metadata.project()));
      VIAND_RETURN_NOT_OK(statement->Bind(2, key));
      VIAND_RETURN_NOT_OK(statement->Bind(3, value));
      VIAND_RETURN_NOT_OK(statement->Bind(4, seconds));
      VIAND_RETURN_NOT_OK(statement->Run());
    }
  }
  return arrow::Status::OK();
}

arrow::Status LoadVersions(const feast::core::Registry& registry, SqlConnection* connection) {
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare(
          "insert or ignore into feature_view_version_history (feature_view_name, project_id, "
          "version_number, feature_view_type, feature_view_proto, created_timestamp, description, "
          "version_id) values (?, ?, ?, ?, ?, ?, ?, ?)"));
  for (const std::string& bytes : registry.feature_view_version_history().records()) {
    FeatureViewVersionRecord record;
    if (!ParseBytes(bytes, &record)) return Broken("damaged: a version of a view");
    VIAND_RETURN_NOT_OK(statement->Bind(1, record.feature_view_name()));
    VIAND_RETURN_NOT_OK(statement->Bind(2, record.project_id()));
    VIAND_RETURN_NOT_OK(statement->Bind(3, int64_t{record.version_number()}));
    VIAND_RETURN_NOT_OK(statement->Bind(4, record.feature_view_type()));
    VIAND_RETURN_NOT_OK(statement->BindBlob(5, record.feature_view_proto()));
    VIAND_RETURN_NOT_OK(statement->Bind(6, record.created_timestamp().seconds()));
    VIAND_RETURN_NOT_OK(statement->Bind(7, record.description()));
    VIAND_RETURN_NOT_OK(statement->Bind(8, record.version_id()));
    VIAND_RETURN_NOT_OK(statement->Run());
  }
  return arrow::Status::OK();
}

// In a file the project is inside the object; SQL registries have it in the row.
template <class Message>
std::string WithProject(const std::string& project, Message message) {
  if constexpr (std::is_same_v<Message, feast::core::Entity>) {
    message.mutable_spec()->set_project(project);
  } else {
    message.set_project(project);
  }
  return SerializeMessage(message);
}

arrow::Result<std::string> WithProject(ObjectKind kind, const RowKey& key, std::string content) {
  const ObjectFields& fields =
      *std::find_if(kObjectFields.begin(), kObjectFields.end(),
                    [kind](const ObjectFields& candidate) { return candidate.kind == kind; });
  if (KeyOf(fields, content).first == key.first) return content;
  if (kind != ObjectKind::kEntity && kind != ObjectKind::kDataSource) return content;
  VIAND_ASSIGN_OR_RETURN(const auto message, ParseMessage(kind, key.second, content));
  return kind == ObjectKind::kEntity
             ? WithProject(key.first, static_cast<const feast::core::Entity&>(*message))
             : WithProject(key.first, static_cast<const feast::core::DataSource&>(*message));
}

/// Rows in the order in which they came.
using Rows = std::vector<std::pair<RowKey, std::string>>;

arrow::Result<Rows> ReadRows(ObjectKind kind, SqlConnection* connection) {
  const FeastTable& table = *FeastTableOf(kind);
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare(fmt::format("select project_id, {}, {} from {} order by rowid",
                                      table.name_column, table.content_column, table.table)));
  Rows rows;
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return rows;
    rows.push_back({{statement->Text(0), statement->Text(1)}, statement->Text(2)});
  }
}

arrow::Status SetAppliedHash(ObjectKind kind, const RowKey& key, const std::string& before,
                             const std::string& after, SqlConnection* connection) {
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         connection->Prepare("update viand_objects set sha256 = ? where project_id "
                                             "= ? and kind = ? and name = ? and sha256 = ?"));
  VIAND_RETURN_NOT_OK(statement->Bind(1, Sha256Hex(after)));
  VIAND_RETURN_NOT_OK(statement->Bind(2, key.first));
  VIAND_RETURN_NOT_OK(statement->Bind(3, static_cast<int64_t>(kind)));
  VIAND_RETURN_NOT_OK(statement->Bind(4, key.second));
  VIAND_RETURN_NOT_OK(statement->Bind(5, Sha256Hex(before)));
  return statement->Run();
}

// What is still there keeps its place; what is new follows.
arrow::Status SaveObjects(const ObjectFields& fields, SqlConnection* connection,
                          ObjectList* objects) {
  VIAND_ASSIGN_OR_RETURN(Rows rows, ReadRows(fields.kind, connection));
  std::map<RowKey, std::string> contents;
  for (auto& [key, content] : rows) {
    VIAND_ASSIGN_OR_RETURN(std::string stored, WithProject(fields.kind, key, content));
    if (KeyOf(fields, stored) != key)
      return Broken(fmt::format("the {} \"{}\" says another name or project of itself",
                                KindName(fields.kind), key.second));
    if (stored != content)
      VIAND_RETURN_NOT_OK(SetAppliedHash(fields.kind, key, content, stored, connection));
    contents[key] = std::move(stored);
  }
  ObjectList kept;
  std::set<RowKey> written;
  for (const std::string& object : *objects) {
    const RowKey key = KeyOf(fields, object);
    if (const auto row = contents.find(key); row != contents.end() && written.insert(key).second)
      *kept.Add() = row->second;
  }
  for (const auto& row : rows)
    if (!written.contains(row.first)) *kept.Add() = contents[row.first];
  objects->Swap(&kept);
  return arrow::Status::OK();
}

arrow::Status SaveMetadata(SqlConnection* connection, feast::core::Registry* registry) {
  std::set<std::string> known;
  for (const auto& metadata : registry->project_metadata()) known.insert(metadata.project());
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare("select project_id, metadata_value from feast_metadata "
                          "where metadata_key = 'project_uuid' order by rowid"));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return arrow::Status::OK();
    if (known.contains(statement->Text(0))) continue;
    auto* metadata = registry->add_project_metadata();
    metadata->set_project(statement->Text(0));
    metadata->set_project_uuid(statement->Text(1));
  }
}

arrow::Status SaveVersions(SqlConnection* connection, feast::core::Registry* registry) {
  using VersionKey = std::pair<RowKey, int64_t>;
  struct Version {
    std::string view;
    std::string bytes;
  };
  std::map<VersionKey, Version> known;
  for (std::string& bytes : *registry->mutable_feature_view_version_history()->mutable_records()) {
    FeatureViewVersionRecord record;
    if (!ParseBytes(bytes, &record)) return Broken("damaged: a version of a view");
    known.try_emplace({{record.project_id(), record.feature_view_name()}, record.version_number()},
                      Version{record.feature_view_proto(), std::move(bytes)});
  }
  registry->clear_feature_view_version_history();
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare(
          "select project_id, feature_view_name, version_number, feature_view_type, "
          "feature_view_proto, created_timestamp, description, version_id from "
          "feature_view_version_history order by rowid"));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return arrow::Status::OK();
    FeatureViewVersionRecord record;
    record.set_project_id(statement->Text(0));
    record.set_feature_view_name(statement->Text(1));
    record.set_version_number(static_cast<int32_t>(statement->Integer(2)));
    record.set_feature_view_type(statement->Text(3));
    record.set_feature_view_proto(statement->Text(4));
    record.mutable_created_timestamp()->set_seconds(statement->Integer(5));
    record.set_description(statement->Text(6));
    record.set_version_id(statement->Text(7));
    const auto as_it_was =
        known.find({{record.project_id(), record.feature_view_name()}, record.version_number()});
    const bool same =
        as_it_was != known.end() && as_it_was->second.view == record.feature_view_proto();
    registry->mutable_feature_view_version_history()->add_records(same ? as_it_was->second.bytes
                                                                       : SerializeMessage(record));
  }
}

}  // namespace

struct RegistryFile::Message {
  feast::core::Registry registry;
};

RegistryFile::RegistryFile() : message_(std::make_unique<Message>()) {
  message_->registry.set_registry_schema_version(kFeastSchemaVersion);
}
RegistryFile::~RegistryFile() = default;
RegistryFile::RegistryFile(RegistryFile&&) noexcept = default;
RegistryFile& RegistryFile::operator=(RegistryFile&&) noexcept = default;

arrow::Result<RegistryFile> RegistryFile::Parse(const std::string& bytes) {
  if (bytes.empty()) return Broken("the file is empty");
  RegistryFile file;
  feast::core::Registry& registry = file.message_->registry;
  if (!ParseBytes(bytes, &registry) || HasMistypedField(registry))
    return Broken(fmt::format(
        "the file is no registry, or was cut short: its {} bytes are no feast.core.Registry",
        bytes.size()));
  const std::string& schema = registry.registry_schema_version();
  if (!schema.empty() && schema != kFeastSchemaVersion)
    return MakeError(
        ErrorKind::kRegistry,
        fmt::format(
            "it was written by a newer Feast: its schema is \"{}\", this viand knows \"{}\"",
            Printable(schema), kFeastSchemaVersion),
        "update viand");
  VIAND_RETURN_NOT_OK(CheckObjects(&registry));
  return file;
}

arrow::Status RegistryFile::Load(SqlConnection* connection) const {
  for (const ObjectFields& fields : kObjectFields)
    VIAND_RETURN_NOT_OK(LoadObjects(fields, *ListOf(fields.kind, &message_->registry), connection));
  VIAND_RETURN_NOT_OK(LoadMetadata(message_->registry, connection));
  return LoadVersions(message_->registry, connection);
}

arrow::Status RegistryFile::Save(SqlConnection* connection, uint64_t sequence) {
  feast::core::Registry& registry = message_->registry;
  for (const ObjectFields& fields : kObjectFields)
    VIAND_RETURN_NOT_OK(SaveObjects(fields, connection, ListOf(fields.kind, &registry)));
  VIAND_RETURN_NOT_OK(SaveMetadata(connection, &registry));
  VIAND_RETURN_NOT_OK(SaveVersions(connection, &registry));
  const int64_t now_us = NowUs();
  registry.mutable_last_updated()->set_seconds(now_us / kMicrosPerSecond);
  registry.mutable_last_updated()->set_nanos(
      static_cast<int32_t>(now_us % kMicrosPerSecond * 1000));
  registry.set_version_id(NewUuid());
  registry.set_viand_sequence(sequence);
  return arrow::Status::OK();
}

std::string RegistryFile::Serialize() const { return SerializeMessage(message_->registry); }

FileStamp RegistryFile::stamp() const {
  const auto& registry = message_->registry;
  return {registry.version_id(),
          registry.last_updated().seconds() * 1'000'000'000 + registry.last_updated().nanos(),
          registry.viand_sequence()};
}

}  // namespace viand::registry
