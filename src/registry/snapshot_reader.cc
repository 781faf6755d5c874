#include "src/registry/snapshot_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/registry/feast_tables.h"

namespace viand::registry {
namespace {

arrow::Status ReadFeastTable(SqlConnection* connection, const FeastTable& table,
                             RegistrySnapshot* snapshot) {
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         connection->Prepare(fmt::format(
                             "select {}, {}, last_updated_timestamp from {} where project_id = ?",
                             table.name_column, table.content_column, table.table)));
  VIAND_RETURN_NOT_OK(statement->Bind(1, snapshot->project));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return arrow::Status::OK();
    StoredObject object{
        .kind = table.kind, .name = statement->Text(0), .content = statement->Text(1)};
    object.sha256 = Sha256Hex(object.content);
    // A damaged time is shown as it may be; it decides nothing.
    constexpr int64_t kLast = std::numeric_limits<int64_t>::max() / kMicrosPerSecond;
    object.updated_us = std::clamp(statement->Integer(2), -kLast, kLast) * kMicrosPerSecond;
    snapshot->objects.insert_or_assign({object.kind, object.name}, std::move(object));
  }
}

// Rows of Feast's kinds have no content here: they hold the hash of what viand last wrote to
// Feast's table.
arrow::Status ReadViandObjects(SqlConnection* connection, RegistrySnapshot* snapshot) {
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         connection->Prepare("select kind, name, content, sha256, updated_us "
                                             "from viand_objects where project_id = ?"));
  VIAND_RETURN_NOT_OK(statement->Bind(1, snapshot->project));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return arrow::Status::OK();
    const auto kind = static_cast<ObjectKind>(statement->Integer(0));
    std::string name = statement->Text(1);
    if (FeastTableOf(kind) != nullptr) {
      const auto stored = snapshot->objects.find({kind, name});
      if (stored != snapshot->objects.end()) stored->second.applied_sha256 = statement->Text(3);
      continue;
    }
    StoredObject object{.kind = kind, .name = name, .content = statement->Text(2)};
    object.sha256 = Sha256Hex(object.content);
    object.applied_sha256 = statement->Text(3);
    object.updated_us = statement->Integer(4);
    snapshot->objects.insert_or_assign({kind, std::move(name)}, std::move(object));
  }
}

arrow::Status ReadOwners(SqlConnection* connection, RegistrySnapshot* snapshot) {
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         connection->Prepare("select kind, name, repo from viand_owners "
                                             "where project_id = ?"));
  VIAND_RETURN_NOT_OK(statement->Bind(1, snapshot->project));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return arrow::Status::OK();
    const auto found = snapshot->objects.find(
        {static_cast<ObjectKind>(statement->Integer(0)), statement->Text(1)});
    if (found != snapshot->objects.end()) found->second.repo = statement->Text(2);
  }
}

}  // namespace

arrow::Result<RegistrySnapshot> ReadSnapshot(SqlConnection* connection,
                                             const std::string& project) {
  RegistrySnapshot snapshot;
  snapshot.project = project;
  VIAND_ASSIGN_OR_RETURN(const auto tables, connection->TableNames());
  VIAND_RETURN_NOT_OK(CheckSchemaVersion(connection, tables));
  for (const FeastTable& table : FeastTables())
    if (tables.contains(table.table))
      VIAND_RETURN_NOT_OK(ReadFeastTable(connection, table, &snapshot));
  if (tables.contains("viand_objects"))
    VIAND_RETURN_NOT_OK(ReadViandObjects(connection, &snapshot));
  if (tables.contains("viand_owners")) VIAND_RETURN_NOT_OK(ReadOwners(connection, &snapshot));
  snapshot.exists = !snapshot.objects.empty();
  return snapshot;
}

}  // namespace viand::registry
