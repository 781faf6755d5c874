#include "src/registry/sqlite_registry.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "src/common/atomic_file.h"
#include "src/common/sha256.h"
#include "src/registry/feast_tables.h"
#include "src/registry/plan.h"
#include "src/registry/sqlite_connection.h"
#include "src/registry/sqlite_writer.h"

namespace viand::registry {
namespace {

arrow::Result<std::set<std::string>> TableNames(SqliteConnection* connection) {
  std::set<std::string> names;
  VIAND_ASSIGN_OR_RETURN(
      auto statement, connection->Prepare("select name from sqlite_master where type = 'table'"));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return names;
    names.insert(statement.Text(0));
  }
}

arrow::Status ReadFeastTable(SqliteConnection* connection, const FeastTable& table,
                             RegistrySnapshot* snapshot) {
  VIAND_ASSIGN_OR_RETURN(auto statement,
                         connection->Prepare(fmt::format(
                             "select {}, {}, last_updated_timestamp from {} where project_id = ?",
                             table.name_column, table.content_column, table.table)));
  VIAND_RETURN_NOT_OK(statement.Bind(1, snapshot->project));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return arrow::Status::OK();
    StoredObject object{
        .kind = table.kind, .name = statement.Text(0), .content = statement.Text(1)};
    object.sha256 = Sha256Hex(object.content);
    object.updated_us = statement.Integer(2) * 1'000'000;
    snapshot->objects.insert_or_assign({object.kind, object.name}, std::move(object));
  }
}

// Rows of Feast's kinds have no content here: they hold the hash of what viand last wrote to
// Feast's table.
arrow::Status ReadViandObjects(SqliteConnection* connection, RegistrySnapshot* snapshot) {
  VIAND_ASSIGN_OR_RETURN(auto statement,
                         connection->Prepare("select kind, name, content, sha256, updated_us "
                                             "from viand_objects where project_id = ?"));
  VIAND_RETURN_NOT_OK(statement.Bind(1, snapshot->project));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return arrow::Status::OK();
    const auto kind = static_cast<ObjectKind>(statement.Integer(0));
    std::string name = statement.Text(1);
    if (FeastTableOf(kind) != nullptr) {
      const auto stored = snapshot->objects.find({kind, name});
      if (stored != snapshot->objects.end()) stored->second.applied_sha256 = statement.Text(3);
      continue;
    }
    StoredObject object{.kind = kind, .name = name, .content = statement.Text(2)};
    object.sha256 = Sha256Hex(object.content);
    object.applied_sha256 = statement.Text(3);
    object.updated_us = statement.Integer(4);
    snapshot->objects.insert_or_assign({kind, std::move(name)}, std::move(object));
  }
}

arrow::Result<RegistrySnapshot> ReadObjects(SqliteConnection* connection,
                                            const std::string& project) {
  RegistrySnapshot snapshot;
  snapshot.project = project;
  VIAND_ASSIGN_OR_RETURN(const auto tables, TableNames(connection));
  for (const FeastTable& table : FeastTables())
    if (tables.contains(table.table))
      VIAND_RETURN_NOT_OK(ReadFeastTable(connection, table, &snapshot));
  if (tables.contains("viand_objects"))
    VIAND_RETURN_NOT_OK(ReadViandObjects(connection, &snapshot));
  snapshot.exists = !snapshot.objects.empty();
  return snapshot;
}

arrow::Status CheckExpected(const Plan& plan, const RegistrySnapshot& now) {
  for (const auto& [key, expected] : plan.expected_sha256) {
    const StoredObject* stored = now.Find(key.first, key.second);
    const std::string actual = stored == nullptr ? "" : stored->sha256;
    if (actual == expected) continue;
    const char* what = expected.empty() ? "added" : actual.empty() ? "removed" : "changed";
    return MakeError(
        ErrorKind::kConflict,
        fmt::format("{} \"{}\" was {} in the registry after the plan was made; nothing was applied",
                    KindName(key.first), key.second, what),
        "plan again, look at the difference, then apply");
  }
  return arrow::Status::OK();
}

}  // namespace

SqliteRegistry::SqliteRegistry(const definition::RepoConfig& config, std::string path,
                               int busy_timeout_ms)
    : root_(config.root),
      project_(config.project),
      path_(std::move(path)),
      busy_timeout_ms_(busy_timeout_ms) {}

arrow::Result<RegistrySnapshot> SqliteRegistry::Read() {
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) {
    RegistrySnapshot empty;
    empty.project = project_;
    return empty;
  }
  VIAND_ASSIGN_OR_RETURN(
      auto connection,
      SqliteConnection::Open(path_, SqliteConnection::Mode::kExisting, busy_timeout_ms_));
  VIAND_ASSIGN_OR_RETURN(auto transaction,
                         SqliteTransaction::Begin(&connection, SqliteTransaction::Kind::kRead));
  return ReadObjects(&connection, project_);
}

arrow::Status SqliteRegistry::Apply(const Plan& plan) {
  if (plan.project != project_)
    return MakeError(ErrorKind::kUsage,
                     fmt::format("the plan is for project \"{}\", the registry is open for \"{}\"",
                                 plan.project, project_));
  if (!plan.HasEffect()) return arrow::Status::OK();
  VIAND_RETURN_NOT_OK(MakeFolders(std::filesystem::path(path_).parent_path().string()));
  VIAND_ASSIGN_OR_RETURN(
      auto connection,
      SqliteConnection::Open(path_, SqliteConnection::Mode::kCreate, busy_timeout_ms_));
  // Beyond FULL, EXTRA also syncs the folder after the journal is gone: a commit that returned
  // survives a power cut.
  VIAND_RETURN_NOT_OK(connection.Execute("pragma synchronous = extra"));
  VIAND_ASSIGN_OR_RETURN(auto transaction,
                         SqliteTransaction::Begin(&connection, SqliteTransaction::Kind::kWrite));
  VIAND_RETURN_NOT_OK(connection.Execute(SchemaSql()));
  VIAND_ASSIGN_OR_RETURN(const RegistrySnapshot now, ReadObjects(&connection, project_));
  VIAND_RETURN_NOT_OK(CheckExpected(plan, now));
  VIAND_RETURN_NOT_OK(WriteChanges(&connection, plan, now));
  return transaction.Commit();
}

std::string SqliteRegistry::Describe() const {
  const bool inside = path_.starts_with(root_ + "/");
  return "sqlite " + (inside ? path_.substr(root_.size() + 1) : path_);
}

}  // namespace viand::registry
