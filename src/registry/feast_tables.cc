#include "src/registry/feast_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace viand::registry {
namespace {

// Types, keys and indexes are those of Feast 0.67's SQLAlchemy schema; {blob} is the database's own
// word.
constexpr char kProjectsSql[] = R"sql(
create table if not exists projects (
  project_id VARCHAR(255) not null,
  project_name VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  project_proto {blob} not null,
  primary key (project_id));
create index if not exists idx_projects_project_id on projects (project_id);
)sql";

constexpr char kOtherFeastTablesSql[] = R"sql(
create table if not exists feature_view_version_history (
  feature_view_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  version_number INTEGER not null,
  feature_view_type VARCHAR(50) not null,
  feature_view_proto {blob} not null,
  created_timestamp BIGINT not null,
  description TEXT,
  version_id VARCHAR(36) not null,
  primary key (feature_view_name, project_id, version_number));
create index if not exists idx_fv_version_history_project_id
  on feature_view_version_history (project_id);

create table if not exists feast_metadata (
  project_id VARCHAR(255) not null,
  metadata_key VARCHAR(50) not null,
  metadata_value TEXT not null,
  last_updated_timestamp BIGINT not null,
  primary key (project_id, metadata_key));
create index if not exists idx_feast_metadata_project_id on feast_metadata (project_id);

)sql";

constexpr char kViandTablesSql[] = R"sql(
create table if not exists viand_schema (
  version INTEGER not null,
  primary key (version));

create table if not exists viand_objects (
  project_id VARCHAR(255) not null,
  kind INTEGER not null,
  name VARCHAR(255) not null,
  content {blob},
  sha256 CHAR(64) not null,
  updated_us BIGINT not null,
  primary key (project_id, kind, name));

create table if not exists viand_object_history (
  project_id VARCHAR(255) not null,
  kind INTEGER not null,
  name VARCHAR(255) not null,
  revision INTEGER not null,
  content {blob},
  sha256 CHAR(64) not null,
  applied_us BIGINT not null,
  primary key (project_id, kind, name, revision));

create table if not exists viand_owners (
  project_id VARCHAR(255) not null,
  kind INTEGER not null,
  name VARCHAR(255) not null,
  repo TEXT not null,
  primary key (project_id, kind, name));

create table if not exists viand_apply_log (
  id {identity} primary key,
  project_id VARCHAR(255) not null,
  applied_us BIGINT not null,
  tool_version VARCHAR(50) not null,
  changes TEXT not null);
create index if not exists idx_viand_apply_log_project_id on viand_apply_log (project_id);
)sql";

/// A table of objects by name and project; the views carry columns of their own.
std::string ObjectTableSql(std::string_view table, std::string_view name_column,
                           std::string_view content_column) {
  const bool is_view = name_column == "feature_view_name";
  const std::string_view intervals =
      table == "feature_views" ? "  materialized_intervals {blob},\n" : "";
  const std::string_view metadata = is_view ? "  user_metadata {blob},\n" : "";
  return fmt::format(R"sql(
create table if not exists {0} (
  {1} VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
{3}  {2} {{blob}} not null,
{4}  primary key ({1}, project_id));
create index if not exists idx_{0}_project_id on {0} (project_id);
)sql",
                     table, name_column, content_column, intervals, metadata);
}

std::string InDialect(SqlDialect dialect, const std::string& sql) {
  const bool sqlite = dialect == SqlDialect::kSqlite;
  return fmt::format(
      fmt::runtime(sql), fmt::arg("blob", sqlite ? "BLOB" : "BYTEA"),
      fmt::arg("identity", sqlite ? "INTEGER" : "BIGINT generated always as identity"));
}

std::string FeastTablesSql() {
  std::string sql = kProjectsSql;
  for (const FeastTable& table : FeastTables()) {
    if (table.kind != ObjectKind::kProject)
      sql += ObjectTableSql(table.table, table.name_column, table.content_column);
  }
  sql += ObjectTableSql("managed_infra", "infra_name", "infra_proto");
  return sql + kOtherFeastTablesSql;
}

}  // namespace

const std::vector<FeastTable>& FeastTables() {
  static const std::vector<FeastTable> tables = {
      {ObjectKind::kProject, "projects", "project_name", "project_proto"},
      {ObjectKind::kEntity, "entities", "entity_name", "entity_proto"},
      {ObjectKind::kDataSource, "data_sources", "data_source_name", "data_source_proto"},
      {ObjectKind::kFeatureView, "feature_views", "feature_view_name", "feature_view_proto"},
      {ObjectKind::kStreamFeatureView, "stream_feature_views", "feature_view_name",
       "feature_view_proto"},
      {ObjectKind::kOnDemandFeatureView, "on_demand_feature_views", "feature_view_name",
       "feature_view_proto"},
      {ObjectKind::kLabelView, "label_views", "feature_view_name", "feature_view_proto"},
      {ObjectKind::kFeatureService, "feature_services", "feature_service_name",
       "feature_service_proto"},
      {ObjectKind::kSavedDataset, "saved_datasets", "saved_dataset_name", "saved_dataset_proto"},
      {ObjectKind::kValidationReference, "validation_references", "validation_reference_name",
       "validation_reference_proto"},
      {ObjectKind::kPermission, "permissions", "permission_name", "permission_proto"},
  };
  return tables;
}

const FeastTable* FeastTableOf(ObjectKind kind) {
  const auto& tables = FeastTables();
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [kind](const FeastTable& table) { return table.kind == kind; });
  return found == tables.end() ? nullptr : &*found;
}

std::vector<std::string> TablesOf(TableOwner owner) {
  if (owner == TableOwner::kViand)
    return {"viand_schema", "viand_objects", "viand_object_history", "viand_owners",
            "viand_apply_log"};
  std::vector<std::string> names = {"managed_infra", "feature_view_version_history",
                                    "feast_metadata"};
  for (const FeastTable& table : FeastTables()) names.push_back(table.table);
  return names;
}

arrow::Status CreateTables(SqlDialect dialect, SqlConnection* connection) {
  VIAND_ASSIGN_OR_RETURN(const auto tables, connection->TableNames());
  VIAND_RETURN_NOT_OK(CheckSchemaVersion(connection, tables));
  const auto missing = [&tables](const std::string& name) { return !tables.contains(name); };
  // Whoever may only write to the tables that an administrator made never asks for more.
  for (const TableOwner owner : {TableOwner::kFeast, TableOwner::kViand}) {
    const auto names = TablesOf(owner);
    if (std::none_of(names.begin(), names.end(), missing)) continue;
    VIAND_RETURN_NOT_OK(connection->Execute(
        InDialect(dialect, owner == TableOwner::kFeast ? FeastTablesSql() : kViandTablesSql)));
  }
  if (!missing("viand_schema")) return arrow::Status::OK();
  return connection->Execute(
      fmt::format("insert into viand_schema (version) values ({})", kSchemaVersion));
}

arrow::Status CheckSchemaVersion(SqlConnection* connection, const std::set<std::string>& tables) {
  if (!tables.contains("viand_schema")) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         connection->Prepare("select max(version) from viand_schema"));
  VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
  const int64_t version = row ? statement->Integer(0) : 0;
  if (version <= kSchemaVersion) return arrow::Status::OK();
  return MakeError(ErrorKind::kRegistry,
                   fmt::format("the registry was written by a newer viand: its schema is {}, this "
                               "viand {} knows {}",
                               version, VIAND_VERSION, kSchemaVersion),
                   "update viand");
}

}  // namespace viand::registry
