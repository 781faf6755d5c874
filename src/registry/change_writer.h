// The writing half of the registry: puts the changes of a plan into an open write transaction.
#pragma once

#include "src/registry/plan.h"
#include "src/registry/sql_connection.h"

namespace viand::registry {

/// Writes every change that has an effect: objects with their timestamps, Feast's version history,
/// viand's object history and apply log, Feast's metadata. `now` is what the transaction sees
/// before it.
arrow::Status WriteChanges(SqlConnection* connection, const Plan& plan,
                           const RegistrySnapshot& now);

}  // namespace viand::registry
