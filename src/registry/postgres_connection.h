// libpq with owners and errors: a connection whose statements without rows are sent ahead of their
// answers, so that a thousand inserts cost a few round trips.
//
// Not thread-safe. Waits are interrupted by ctrl-C. Every error names the registry, never a
// password.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/registry/libpq_library.h"
#include "src/registry/postgres_error.h"
#include "src/registry/postgres_url.h"
#include "src/registry/sql_connection.h"

namespace viand::registry {

class PostgresConnection;

class PostgresStatement : public SqlStatement {
 public:
  PostgresStatement(PostgresConnection* connection, const std::string& sql);
  ~PostgresStatement() override;

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
  struct Parameter {
    std::optional<std::string> bytes;
    bool blob = false;
  };
  arrow::Status Set(int index, std::string_view bytes, bool blob);
  arrow::Status Send();

  PostgresConnection* const connection_;
  std::string sql_;  // with $1, $2, ... for the question marks
  std::vector<Parameter> parameters_;
  PGresult* result_ = nullptr;
  int row_ = 0;
};

class PostgresConnection : public SqlConnection {
 public:
  /// One attempt, given up after connect_timeout (10 s unless the address says another). `failure`
  /// says what was wrong, for IsTransient.
  static arrow::Result<std::unique_ptr<PostgresConnection>> Connect(const PostgresAddress& address,
                                                                    PostgresFailure* failure);
  ~PostgresConnection() override;

  arrow::Result<SqlStatement*> Prepare(const std::string& sql) override;
  arrow::Status Execute(const std::string& sql) override;
  arrow::Result<std::set<std::string>> TableNames() override;

  /// Waits for the answers of all that was sent.
  arrow::Status Drain();

  /// Whether an error so far was one that a new connection may not have.
  bool failed_transiently() const { return failed_transiently_; }

 private:
  friend class PostgresStatement;
  PostgresConnection(const LibpqLibrary& pq, std::string shown, PGconn* connection);

  arrow::Status WaitForConnect(double timeout_seconds, PostgresFailure* failure);
  /// The next answer; null: no more of this statement.
  arrow::Result<PGresult*> NextResult();
  /// Waits for the one answer of what was sent; the caller clears it.
  arrow::Result<PGresult*> TakeResult();
  arrow::Status Failed(const PGresult* result);

  const LibpqLibrary& pq_;
  const std::string shown_;
  PGconn* const connection_;
  std::map<std::string, std::unique_ptr<PostgresStatement>> statements_;
  int pending_ = 0;  // statements sent whose answers were not read
  bool failed_transiently_ = false;
};

}  // namespace viand::registry
