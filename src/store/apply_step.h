// The steps `plan` and `apply`: the repo's definitions against the registry.
#pragma once

#include "src/registry/plan.h"
#include "src/store/repo_session.h"

namespace viand::store {

/// The plan against the registry as it is now; grids are resolved against the data that there is.
arrow::Result<registry::Plan> MakeCurrentPlan(RepoSession* session);

/// Commits a plan. Without `yes`, a removal or a breaking change is kConflict and names what it
/// would do.
arrow::Status CommitPlan(RepoSession* session, const registry::Plan& plan, bool yes);

/// The plan that removes every object of this repo.
arrow::Result<registry::Plan> MakeTeardownPlan(RepoSession* session);

PlanReport ToReport(const RepoSession& session, const registry::Plan& plan);

/// The step of `viand run`.
arrow::Result<StepReport> ApplyDefinitions(RepoSession* session, bool yes);

}  // namespace viand::store
