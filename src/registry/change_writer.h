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

/// Whether a change would add what belongs to a project as such and somebody added meanwhile: the
/// project itself, and Feast's dummy entity.
bool IsThereAlready(const Change& change, const RegistrySnapshot& now);

}  // namespace viand::registry
