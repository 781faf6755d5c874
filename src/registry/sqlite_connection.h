// SQLite's C API with owners and errors: a connection, a prepared statement, a transaction.
//
//   VIAND_ASSIGN_OR_RETURN(const auto connection, SqliteConnection::Open(
//       path, SqliteConnection::Mode::kExisting, 5000));
//   VIAND_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(
//       connection.get(), SqliteTransaction::Kind::kRead));
//
// Not thread-safe: one connection a call. Every error names the file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "src/registry/sql_connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace viand::registry {

/// A prepared statement. Lives no longer than its connection.
class SqliteStatement : public SqlStatement {
 public:
  SqliteStatement(const std::string* path, sqlite3* database, sqlite3_stmt* statement);
  ~SqliteStatement() override;

  arrow::Status Bind(int index, std::string_view text) override;
  arrow::Status Bind(int index, int64_t number) override;
  arrow::Status BindBlob(int index, std::string_view bytes) override;
  arrow::Status BindNull(int index) override;
  arrow::Result<bool> Step() override;
  arrow::Status Run() override;
  std::string Text(int index) const override;
  int64_t Integer(int index) const override;
  bool IsNull(int index) const override;

  /// Forgets rows and parameters.
  void Reset();

 private:
  arrow::Status Check(int code) const;

  const std::string* const path_;
  sqlite3* const database_;
  sqlite3_stmt* const statement_;
};

/// An open database file.
class SqliteConnection : public SqlConnection {
 public:
  enum class Mode { kExisting, kCreate };

  /// Opens for reading and writing (a hot journal of a killed writer must be rolled back even to
  /// read). Waits up to `busy_timeout_ms` for another writer.
  static arrow::Result<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Mode mode,
                                                               int busy_timeout_ms);
  ~SqliteConnection() override;

  arrow::Result<SqlStatement*> Prepare(const std::string& sql) override;
  arrow::Status Execute(const std::string& sql) override;
  arrow::Result<std::set<std::string>> TableNames() override;

  /// The bytes of an attached database, and a database in memory made of such bytes.
  arrow::Result<std::string> Image(const char* schema) const;
  arrow::Status LoadImage(const char* schema, std::string_view image);

 private:
  SqliteConnection(std::string path, sqlite3* database)
      : path_(std::move(path)), database_(database) {}

  const std::string path_;
  sqlite3* const database_;
  std::map<std::string, std::unique_ptr<SqliteStatement>, std::less<>> statements_;
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
