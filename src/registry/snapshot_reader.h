// Everything of a project, out of an open transaction.
#pragma once

#include <string>

#include "src/registry/registry.h"
#include "src/registry/sql_connection.h"

namespace viand::registry {

/// Reads all objects with their hashes; tables that are not there hold nothing. kEnvironment where
/// a newer viand has written.
arrow::Result<RegistrySnapshot> ReadSnapshot(SqlConnection* connection, const std::string& project);

}  // namespace viand::registry
