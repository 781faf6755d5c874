#include "src/registry/feast_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace viand::registry {
namespace {

// Types, keys and indexes are those of Feast 0.67's SQLAlchemy schema on SQLite.
constexpr char kProjectsSql[] = R"sql(
create table if not exists projects (
  project_id VARCHAR(255) not null,
  project_name VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  project_proto BLOB not null,
  primary key (project_id));
create index if not exists idx_projects_project_id on projects (project_id);
)sql";

constexpr char kOtherTablesSql[] = R"sql(
create table if not exists feature_view_version_history (
  feature_view_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  version_number INTEGER not null,
  feature_view_type VARCHAR(50) not null,
  feature_view_proto BLOB not null,
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

create table if not exists viand_objects (
  project_id VARCHAR(255) not null,
  kind INTEGER not null,
  name VARCHAR(255) not null,
  content BLOB,
  sha256 CHAR(64) not null,
  updated_us BIGINT not null,
  primary key (project_id, kind, name));

create table if not exists viand_object_history (
  project_id VARCHAR(255) not null,
  kind INTEGER not null,
  name VARCHAR(255) not null,
  revision INTEGER not null,
  content BLOB,
  sha256 CHAR(64) not null,
  applied_us BIGINT not null,
  primary key (project_id, kind, name, revision));

create table if not exists viand_apply_log (
  id INTEGER primary key,
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
      table == "feature_views" ? "  materialized_intervals BLOB,\n" : "";
  const std::string_view metadata = is_view ? "  user_metadata BLOB,\n" : "";
  return fmt::format(R"sql(
create table if not exists {0} (
  {1} VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
{3}  {2} BLOB not null,
{4}  primary key ({1}, project_id));
create index if not exists idx_{0}_project_id on {0} (project_id);
)sql",
                     table, name_column, content_column, intervals, metadata);
}

std::string MakeSchemaSql() {
  std::string sql = kProjectsSql;
  for (const FeastTable& table : FeastTables()) {
    if (table.kind != ObjectKind::kProject)
      sql += ObjectTableSql(table.table, table.name_column, table.content_column);
  }
  sql += ObjectTableSql("managed_infra", "infra_name", "infra_proto");
  return sql + kOtherTablesSql;
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

const char* SchemaSql() {
  static const std::string sql = MakeSchemaSql();
  return sql.c_str();
}

}  // namespace viand::registry
