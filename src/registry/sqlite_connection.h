// SQLite's C API with owners and errors: a connection, a prepared statement, a write transaction.
//
//   VIAND_ASSIGN_OR_RETURN(auto connection, SqliteConnection::Open(path,
//   SqliteConnection::Mode::kExisting, 5000)); VIAND_ASSIGN_OR_RETURN(auto statement,
//   connection.Prepare("select name from t where id = ?")); VIAND_RETURN_NOT_OK(statement.Bind(1,
//   "x")); while (true) { VIAND_ASSIGN_OR_RETURN(bool row, statement.Step()); if (!row) break; ...
//   }
//
// Not thread-safe: one connection a call. Every error names the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/common/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace viand::registry {

/// A prepared statement. Lives no longer than its connection.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  /// Binds parameter `index`, counted from 1; texts and blobs are copied.
  arrow::Status Bind(int index, std::string_view text);
  arrow::Status Bind(int index, int64_t number);
  arrow::Status BindBlob(int index, std::string_view bytes);
  arrow::Status BindNull(int index);

  /// Moves to the next row; false where there is none.
  arrow::Result<bool> Step();
  /// Runs a statement without rows and makes it ready for other parameters.
  arrow::Status Run();

  /// Column `index` of the row, counted from 0.
  std::string Text(int index) const;
  int64_t Integer(int index) const;
  bool IsNull(int index) const;

 private:
  friend class SqliteConnection;
  SqliteStatement(const std::string* path, sqlite3* database, sqlite3_stmt* statement);
  arrow::Status Check(int code) const;

  const std::string* path_;
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

/// An open database file.
class SqliteConnection {
 public:
  enum class Mode { kExisting, kCreate };

  /// Opens for reading and writing (a hot journal of a killed writer must be rolled back even to
  /// read). Waits up to `busy_timeout_ms` for another writer.
  static arrow::Result<SqliteConnection> Open(const std::string& path, Mode mode,
                                              int busy_timeout_ms);
  SqliteConnection(SqliteConnection&& other) noexcept;
  SqliteConnection& operator=(SqliteConnection&&) = delete;
  ~SqliteConnection();

  arrow::Result<SqliteStatement> Prepare(std::string_view sql);
  /// Runs statements without parameters or rows, separated by semicolons.
  arrow::Status Execute(const std::string& sql);

 private:
  SqliteConnection(std::string path, sqlite3* database);

  std::unique_ptr<std::string> path_;  // statements point at it across moves
  sqlite3* database_;
};

/// A transaction that rolls back unless committed.
class SqliteTransaction {
 public:
  enum class Kind { kRead, kWrite };

  /// kWrite takes the write lock at once.
  static arrow::Result<SqliteTransaction> Begin(SqliteConnection* connection, Kind kind);
  SqliteTransaction(SqliteTransaction&& other) noexcept;
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();

  arrow::Status Commit();

 private:
  explicit SqliteTransaction(SqliteConnection* connection) : connection_(connection) {}
  SqliteConnection* connection_;
};

}  // namespace viand::registry
