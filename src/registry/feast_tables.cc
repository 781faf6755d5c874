#include "src/registry/feast_tables.h"

#include <algorithm>

namespace viand::registry {
namespace {

// Types, keys and indexes are those of Feast 0.67's SQLAlchemy schema on SQLite.
constexpr char kSchemaSql[] = R"sql(
create table if not exists projects (
  project_id VARCHAR(255) not null,
  project_name VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  project_proto BLOB not null,
  primary key (project_id));
create index if not exists idx_projects_project_id on projects (project_id);

create table if not exists entities (
  entity_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  entity_proto BLOB not null,
  primary key (entity_name, project_id));
create index if not exists idx_entities_project_id on entities (project_id);

create table if not exists data_sources (
  data_source_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  data_source_proto BLOB not null,
  primary key (data_source_name, project_id));
create index if not exists idx_data_sources_project_id on data_sources (project_id);

create table if not exists feature_views (
  feature_view_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  materialized_intervals BLOB,
  feature_view_proto BLOB not null,
  user_metadata BLOB,
  primary key (feature_view_name, project_id));
create index if not exists idx_feature_views_project_id on feature_views (project_id);

create table if not exists stream_feature_views (
  feature_view_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  feature_view_proto BLOB not null,
  user_metadata BLOB,
  primary key (feature_view_name, project_id));
create index if not exists idx_stream_feature_views_project_id
  on stream_feature_views (project_id);

create table if not exists on_demand_feature_views (
  feature_view_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  feature_view_proto BLOB not null,
  user_metadata BLOB,
  primary key (feature_view_name, project_id));
create index if not exists idx_on_demand_feature_views_project_id
  on on_demand_feature_views (project_id);

create table if not exists label_views (
  feature_view_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  feature_view_proto BLOB not null,
  user_metadata BLOB,
  primary key (feature_view_name, project_id));
create index if not exists idx_label_views_project_id on label_views (project_id);

create table if not exists feature_services (
  feature_service_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  feature_service_proto BLOB not null,
  primary key (feature_service_name, project_id));
create index if not exists idx_feature_services_project_id on feature_services (project_id);

create table if not exists saved_datasets (
  saved_dataset_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  saved_dataset_proto BLOB not null,
  primary key (saved_dataset_name, project_id));
create index if not exists idx_saved_datasets_project_id on saved_datasets (project_id);

create table if not exists validation_references (
  validation_reference_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  validation_reference_proto BLOB not null,
  primary key (validation_reference_name, project_id));
create index if not exists idx_validation_references_project_id
  on validation_references (project_id);

create table if not exists managed_infra (
  infra_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  infra_proto BLOB not null,
  primary key (infra_name, project_id));
create index if not exists idx_managed_infra_project_id on managed_infra (project_id);

create table if not exists permissions (
  permission_name VARCHAR(255) not null,
  project_id VARCHAR(255) not null,
  last_updated_timestamp BIGINT not null,
  permission_proto BLOB not null,
  primary key (permission_name, project_id));
create index if not exists idx_permissions_project_id on permissions (project_id);

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

const char* SchemaSql() { return kSchemaSql; }

}  // namespace viand::registry
