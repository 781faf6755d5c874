// The tables of Feast's SQL registry (0.67), and viand's own beside them
// (docs/formats/registry.md).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "src/registry/registry.h"
#include "src/registry/sql_connection.h"

namespace viand::registry {

/// Where Feast keeps one kind of object. Names are Feast's: never change.
struct FeastTable {
  ObjectKind kind;
  const char* table;
  const char* name_column;
  const char* content_column;
};

/// Every kind that Feast stores, in the order of ObjectKind.
const std::vector<FeastTable>& FeastTables();

/// The table of a kind; null for viand's own kinds.
const FeastTable* FeastTableOf(ObjectKind kind);

/// Whose a table is: in a registry file, Feast's are in registry.db and viand's in the file beside.
enum class TableOwner { kFeast, kViand };

/// The names of all tables of an owner.
std::vector<std::string> TablesOf(TableOwner owner);

/// The version of viand's tables. A reader refuses one that is greater: raise it when an older
/// viand would misread them.
inline constexpr int64_t kSchemaVersion = 1;

/// Creates what is missing: Feast's tables and indexes as its SQLAlchemy schema has them, then
/// viand's. Executes nothing where all are there.
arrow::Status CreateTables(SqlDialect dialect, SqlConnection* connection);

/// kEnvironment where viand's tables, if they are among `tables`, are of a newer version.
arrow::Status CheckSchemaVersion(SqlConnection* connection, const std::set<std::string>& tables);

}  // namespace viand::registry
