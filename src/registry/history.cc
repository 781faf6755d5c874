#include "src/registry/history.h"

#include "src/common/time.h"

namespace viand::registry {

arrow::Result<std::vector<Revision>> ReadRevisions(SqlConnection* connection,
                                                   const std::string& project, int kind,
                                                   const std::string& name) {
  std::vector<Revision> revisions;
  VIAND_ASSIGN_OR_RETURN(const auto tables, connection->TableNames());
  if (!tables.contains("viand_object_history")) return revisions;
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare("select revision, content, applied_us from viand_object_history "
                          "where project_id = ? and kind = ? and name = ? order by revision"));
  VIAND_RETURN_NOT_OK(statement->Bind(1, project));
  VIAND_RETURN_NOT_OK(statement->Bind(2, static_cast<int64_t>(kind)));
  VIAND_RETURN_NOT_OK(statement->Bind(3, name));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return revisions;
    Revision revision{.number = statement->Integer(0), .applied_us = statement->Integer(2)};
    if (!statement->IsNull(1)) revision.content = statement->Text(1);
    revisions.push_back(std::move(revision));
  }
}

arrow::Result<std::vector<ViewVersion>> ReadViewVersions(SqlConnection* connection,
                                                         const std::string& project,
                                                         const std::string& name) {
  std::vector<ViewVersion> versions;
  VIAND_ASSIGN_OR_RETURN(const auto tables, connection->TableNames());
  if (!tables.contains("feature_view_version_history")) return versions;
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      connection->Prepare("select version_number, feature_view_proto, created_timestamp "
                          "from feature_view_version_history "
                          "where project_id = ? and feature_view_name = ? "
                          "order by version_number"));
  VIAND_RETURN_NOT_OK(statement->Bind(1, project));
  VIAND_RETURN_NOT_OK(statement->Bind(2, name));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return versions;
    versions.push_back(
        {statement->Integer(0), statement->Text(1), statement->Integer(2) * kMicrosPerSecond});
  }
}

}  // namespace viand::registry
