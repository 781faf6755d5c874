// The tables of Feast's SQL registry (0.67), and viand's own beside them
// (docs/formats/registry.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/registry/registry.h"

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

/// Statements that create what is missing: Feast's tables and indexes as its SQLAlchemy schema has
/// them, then viand's.
const char* SchemaSql();

}  // namespace viand::registry
