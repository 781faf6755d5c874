#include "src/registry/sqlite_storage.h"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <filesystem>

#include "src/common/atomic_file.h"
#include "src/common/failpoint.h"
#include "src/registry/feast_tables.h"
#include "src/registry/sqlite_connection.h"

namespace viand::registry {

SqliteStorage::SqliteStorage(std::string path, std::string shown_path, int busy_timeout_ms)
    : path_(std::move(path)),
      shown_path_(std::move(shown_path)),
      busy_timeout_ms_(busy_timeout_ms) {}

arrow::Status SqliteStorage::Read(const Body& body) {
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(
      const auto connection,
      SqliteConnection::Open(path_, SqliteConnection::Mode::kExisting, busy_timeout_ms_));
  VIAND_ASSIGN_OR_RETURN(
      auto transaction, SqliteTransaction::Begin(connection.get(), SqliteTransaction::Kind::kRead));
  return body(connection.get());
}

// A registry that is not there yet is made whole in memory and appears under its name at once: two
// syncs instead of a rollback journal's five, and no half-made file whatever happens. False where
// somebody else was first, or the file system cannot tell.
arrow::Result<bool> SqliteStorage::WriteFirst(const Body& body) const {
  VIAND_ASSIGN_OR_RETURN(
      const auto connection,
      SqliteConnection::Open(":memory:", SqliteConnection::Mode::kCreate, busy_timeout_ms_));
  VIAND_ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(
                                               connection.get(), SqliteTransaction::Kind::kWrite));
  VIAND_RETURN_NOT_OK(CreateTables(SqlDialect::kSqlite, connection.get()));
  VIAND_RETURN_NOT_OK(body(connection.get()));
  VIAND_RETURN_NOT_OK(transaction.Commit());
  VIAND_ASSIGN_OR_RETURN(const std::string image, connection->Image("main"));
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  VIAND_RETURN_NOT_OK(RemoveStaleTemporaries(folder));
  VIAND_ASSIGN_OR_RETURN(const AtomicFile file, AtomicFile::Create(path_));
  VIAND_RETURN_NOT_OK(WriteFile(file.temporary_path(), image));
  VIAND_RETURN_NOT_OK(file.Sync());
  VIAND_RETURN_NOT_OK(Failpoint("registry.commit"));
  if (renameat2(AT_FDCWD, file.temporary_path().c_str(), AT_FDCWD, path_.c_str(),
                RENAME_NOREPLACE) != 0)
    return errno == EEXIST || errno == EINVAL || errno == ENOSYS ? arrow::Result<bool>(false)
                                                                 : WriteError(path_, errno);
  VIAND_RETURN_NOT_OK(SyncPath(folder));
  VIAND_RETURN_NOT_OK(Failpoint("registry.committed"));
  return true;
}

arrow::Status SqliteStorage::Write(const Body& body) {
  VIAND_RETURN_NOT_OK(MakeFolders(std::filesystem::path(path_).parent_path().string()));
  if (std::error_code error; !std::filesystem::exists(path_, error) && !error) {
    VIAND_ASSIGN_OR_RETURN(const bool written, WriteFirst(body));
    if (written) return arrow::Status::OK();
  }
  VIAND_ASSIGN_OR_RETURN(
      const auto connection,
      SqliteConnection::Open(path_, SqliteConnection::Mode::kCreate, busy_timeout_ms_));
  // Beyond FULL, EXTRA also syncs the folder after the journal is gone: a commit that returned
  // survives a power cut.
  VIAND_RETURN_NOT_OK(connection->Execute("pragma synchronous = extra"));
  VIAND_ASSIGN_OR_RETURN(auto transaction, SqliteTransaction::Begin(
                                               connection.get(), SqliteTransaction::Kind::kWrite));
  VIAND_RETURN_NOT_OK(CreateTables(SqlDialect::kSqlite, connection.get()));
  VIAND_RETURN_NOT_OK(body(connection.get()));
  VIAND_RETURN_NOT_OK(Failpoint("registry.commit"));
  VIAND_RETURN_NOT_OK(transaction.Commit());
  return Failpoint("registry.committed");
}

std::string SqliteStorage::Describe() const { return "sqlite " + shown_path_; }

}  // namespace viand::registry
