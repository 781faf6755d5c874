// SQL as the registry speaks it, whatever database is behind: one dialect of statements that SQLite
// and PostgreSQL both read, with `?` for parameters.
//
//   VIAND_ASSIGN_OR_RETURN(SqlStatement* statement,
//                          connection->Prepare("select name from t where id = ?"));
//   VIAND_RETURN_NOT_OK(statement->Bind(1, "x"));
//   while (true) {
//     VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
//     if (!row) break;
//     ... statement->Text(0) ...
//   }
//
// Not thread-safe. Every error names the registry.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand::registry {

enum class SqlDialect { kSqlite, kPostgres };

/// A prepared statement; owned by its connection, which keeps it for the next who prepares the same
/// text.
class SqlStatement {
 public:
  virtual ~SqlStatement() = default;

  /// Binds parameter `index`, counted from 1; texts and blobs are copied. A text holds no NUL.
  virtual arrow::Status Bind(int index, std::string_view text) = 0;
  virtual arrow::Status Bind(int index, int64_t number) = 0;
  virtual arrow::Status BindBlob(int index, std::string_view bytes) = 0;
  virtual arrow::Status BindNull(int index) = 0;

  /// Moves to the next row; false where there is none.
  virtual arrow::Result<bool> Step() = 0;
  /// Runs a statement without rows and makes it ready for other parameters. Its error may come
  /// from a later call of the connection, at the latest from the transaction's end.
  virtual arrow::Status Run() = 0;

  /// Column `index` of the row, counted from 0: a text or blob, a whole number.
  virtual std::string Text(int index) const = 0;
  virtual int64_t Integer(int index) const = 0;
  virtual bool IsNull(int index) const = 0;
};

/// A connection inside a transaction.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;

  /// The statement of a text, without parameters and rows of an earlier use. The text outlives its
  /// use; the same text is not prepared again while its rows are read.
  virtual arrow::Result<SqlStatement*> Prepare(const std::string& sql) = 0;
  /// Runs statements without parameters or rows, separated by semicolons.
  virtual arrow::Status Execute(const std::string& sql) = 0;
  /// The tables that there are, by their bare names.
  virtual arrow::Result<std::set<std::string>> TableNames() = 0;
};

}  // namespace viand::registry
