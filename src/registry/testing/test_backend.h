// A registry on any backend, for tests that hold on all of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "src/registry/open_storage.h"
#include "src/registry/registry.h"
#include "src/registry/registry_storage.h"
#include "src/registry/testing/postgres_server.h"
#include "src/registry/testing/small_repo.h"

namespace viand::registry {

enum class BackendKind { kSqlite, kPostgres, kFile };

inline std::string BackendName(const testing::TestParamInfo<BackendKind>& info) {
  return std::vector<std::string>{"sqlite", "postgres", "file"}[static_cast<int>(info.param)];
}

inline auto AllBackends() {
  return testing::Values(BackendKind::kSqlite, BackendKind::kPostgres, BackendKind::kFile);
}

/// A fresh, empty place for a registry; `config` names it.
class TestBackend {
 public:
  explicit TestBackend(BackendKind kind) : kind(kind), repo(folder_.path()) {
    repo.config.registry_type = kind == BackendKind::kFile ? "file" : "sql";
    repo.config.registry_path = kind == BackendKind::kPostgres
                                    ? Server().Url(Server().NewDatabase())
                                : kind == BackendKind::kSqlite ? "sqlite:///data/registry.db"
                                                               : "data/registry.db";
  }

  static PostgresServer& Server() { return PostgresServer::Instance(); }

  std::unique_ptr<RegistryStorage> Storage() const { return *OpenStorage(repo.config); }
  std::unique_ptr<Registry> Open() const { return *Registry::Open(repo.config); }

  /// The first column, which must be a text, of each row.
  std::vector<std::string> Query(const std::string& sql) const {
    std::vector<std::string> rows;
    const auto status = Storage()->Read([&](SqlConnection* connection) -> arrow::Status {
      VIAND_ASSIGN_OR_RETURN(SqlStatement * statement, connection->Prepare(sql));
      while (true) {
        VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
        if (!row) return arrow::Status::OK();
        rows.push_back(statement->Text(0));
      }
    });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }

  /// Stores a view as another client would.
  void StoreView(const std::string& name, const std::string& bytes) const {
    const auto status = Storage()->Write([&](SqlConnection* connection) -> arrow::Status {
      VIAND_ASSIGN_OR_RETURN(
          SqlStatement * statement,
          connection->Prepare(
              "insert into feature_views (feature_view_name, project_id, last_updated_timestamp, "
              "feature_view_proto) values (?, 'shops', 1, ?) on conflict (feature_view_name, "
              "project_id) do update set feature_view_proto = excluded.feature_view_proto"));
      VIAND_RETURN_NOT_OK(statement->Bind(1, name));
      VIAND_RETURN_NOT_OK(statement->BindBlob(2, bytes));
      return statement->Run();
    });
    EXPECT_TRUE(status.ok()) << status;
  }

 private:
  ScratchFolder folder_;

 public:
  const BackendKind kind;
  SmallRepo repo;
};

}  // namespace viand::registry
