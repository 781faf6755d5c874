#include "src/registry/sqlite_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <utility>

namespace viand::registry {
namespace {

arrow::Status SqliteError(const std::string& path, int code, std::string_view message) {
  const std::string prefix = fmt::format("registry sqlite {}: ", path);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return MakeError(ErrorKind::kRegistry,
                       prefix + "locked by another process for longer than the time to wait",
                       "try again once the other viand or feast has finished");
    case SQLITE_NOTADB:
      return MakeError(ErrorKind::kRegistry, prefix + "the file is not an SQLite database",
                       "point registry.path elsewhere, or restore the file from a copy");
    case SQLITE_CORRUPT:
      return MakeError(ErrorKind::kRegistry, fmt::format("{}damaged ({})", prefix, message),
                       "restore the file from a copy");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return MakeError(ErrorKind::kRegistry, prefix + "not writable",
                       "check the permissions of the file and of its folder");
    case SQLITE_CANTOPEN:
      if (std::error_code error; std::filesystem::is_directory(path, error)) {
        return MakeError(ErrorKind::kRegistry, prefix + "it is a folder, expected a file",
                         "remove the folder, or point registry.path elsewhere");
      }
      return MakeError(ErrorKind::kRegistry, prefix + "cannot be opened",
                       "check the permissions of the file and of its folder");
    case SQLITE_FULL:
      return MakeError(ErrorKind::kRegistry, prefix + "the disk is full",
                       "nothing was changed; free some space and try again");
    default:
      return MakeError(ErrorKind::kRegistry, fmt::format("{}{}", prefix, message));
  }
}

}  // namespace

SqliteStatement::SqliteStatement(const std::string* path, sqlite3* database,
                                 sqlite3_stmt* statement)
    : path_(path), database_(database), statement_(statement) {}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

arrow::Status SqliteStatement::Check(int code) const {
  if (code == SQLITE_OK) return arrow::Status::OK();
  return SqliteError(*path_, code, sqlite3_errmsg(database_));
}

arrow::Status SqliteStatement::Bind(int index, std::string_view text) {
  return Check(sqlite3_bind_text64(statement_, index, text.data(), text.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8));
}

arrow::Status SqliteStatement::Bind(int index, int64_t number) {
  return Check(sqlite3_bind_int64(statement_, index, number));
}

arrow::Status SqliteStatement::BindBlob(int index, std::string_view bytes) {
  // A null pointer would bind NULL, and an empty proto is a value.
  return Check(sqlite3_bind_blob64(statement_, index, bytes.empty() ? "" : bytes.data(),
                                   bytes.size(), SQLITE_TRANSIENT));
}

arrow::Status SqliteStatement::BindNull(int index) {
  return Check(sqlite3_bind_null(statement_, index));
}

arrow::Result<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Check(code);
}

arrow::Status SqliteStatement::Run() {
  VIAND_RETURN_NOT_OK(Step());
  return Check(sqlite3_reset(statement_));
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::string SqliteStatement::Text(int index) const {
  const void* bytes = sqlite3_column_blob(statement_, index);
  const int size = sqlite3_column_bytes(statement_, index);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

int64_t SqliteStatement::Integer(int index) const {
  return sqlite3_column_int64(statement_, index);
}

bool SqliteStatement::IsNull(int index) const {
  return sqlite3_column_type(statement_, index) == SQLITE_NULL;
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close_v2(database_);
}

arrow::Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                        Mode mode,
                                                                        int busy_timeout_ms) {
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, database));
  if (code != SQLITE_OK) return SqliteError(path, code, sqlite3_errstr(code));
  sqlite3_busy_timeout(database, busy_timeout_ms);
  return connection;
}

arrow::Result<SqlStatement*> SqliteConnection::Prepare(const std::string& sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) {
    known->second->Reset();
    return known->second.get();
  }
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(path_, code, sqlite3_errmsg(database_));
  auto& kept = statements_[sql];
  kept = std::make_unique<SqliteStatement>(&path_, database_, statement);
  return kept.get();
}

arrow::Status SqliteConnection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return arrow::Status::OK();
  return SqliteError(path_, code, sqlite3_errmsg(database_));
}

arrow::Result<std::set<std::string>> SqliteConnection::TableNames() {
  std::set<std::string> names;
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                         Prepare("select name from sqlite_master where type = 'table'"));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return names;
    names.insert(statement->Text(0));
  }
}

arrow::Result<std::string> SqliteConnection::Image(const char* schema) const {
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(database_, schema, &size, 0);
  if (bytes == nullptr) return SqliteError(path_, SQLITE_NOMEM, "out of memory");
  std::string image(reinterpret_cast<const char*>(bytes), size);
  sqlite3_free(bytes);
  return image;
}

arrow::Status SqliteConnection::LoadImage(const char* schema, std::string_view image) {
  // SQLite takes over memory of its own allocator.
  auto* bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.size()));
  if (bytes == nullptr) return SqliteError(path_, SQLITE_NOMEM, "out of memory");
  std::memcpy(bytes, image.data(), image.size());
  const auto size = static_cast<sqlite3_int64>(image.size());
  const int code =
      sqlite3_deserialize(database_, schema, bytes, size, size, SQLITE_DESERIALIZE_FREEONCLOSE);
  return code == SQLITE_OK ? arrow::Status::OK()
                           : SqliteError(path_, code, sqlite3_errmsg(database_));
}

arrow::Result<SqliteTransaction> SqliteTransaction::Begin(SqliteConnection* connection, Kind kind) {
  VIAND_RETURN_NOT_OK(connection->Execute(kind == Kind::kWrite ? "begin immediate" : "begin"));
  return SqliteTransaction(connection);
}

SqliteTransaction::SqliteTransaction(SqliteTransaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

SqliteTransaction::~SqliteTransaction() {
  // A failed rollback leaves nothing to do: closing the connection rolls back as well.
  if (connection_ != nullptr) static_cast<void>(connection_->Execute("rollback"));
}

arrow::Status SqliteTransaction::Commit() {
  VIAND_RETURN_NOT_OK(connection_->Execute("commit"));
  connection_ = nullptr;
  return arrow::Status::OK();
}

}  // namespace viand::registry
