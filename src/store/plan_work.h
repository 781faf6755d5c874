// What a plan makes stale: the consequences that `viand plan` tells beside the difference.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/registry/plan.h"
#include "src/store/repo_session.h"

namespace viand::store {

/// Foretells what `viand run` will make again because of the plan's changes, in the order of the
/// steps: datasets, stored rows of views, models, predictions. `grids` are those that the plan
/// records. Reads manifests, names and footers, no rows; data that changed on its own is the
/// matter of `run`, not of a plan.
arrow::Result<std::vector<PlannedWork>> WorkOf(
    const RepoSession& session, const registry::Plan& plan,
    const std::map<std::string, registry::ResolvedGrid>& grids);

}  // namespace viand::store
