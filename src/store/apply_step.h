// The steps `plan` and `apply`: the repo's definitions against the registry.
#pragma once

#include "src/registry/plan.h"
#include "src/store/repo_session.h"

namespace viand::store {

struct CurrentPlan {
  registry::Plan plan;
  PlanReport report;  ///< the same for people, with its consequences
};

/// The plan against the registry as it is now; grids are resolved against the data that there is.
/// Where `objects` are named (ApplyOptions), of these alone.
arrow::Result<CurrentPlan> MakeCurrentPlan(RepoSession* session,
                                           const std::vector<std::string>& objects = {});

/// Commits a plan. Removals and breaking changes need `yes`: without, kUsage names what it would
/// do; what breaks readers of a view needs `force`, else kConflict.
arrow::Status CommitPlan(RepoSession* session, const registry::Plan& plan,
                         const ApplyOptions& options);

/// The plan that removes every object of this repo.
arrow::Result<CurrentPlan> MakeTeardownPlan(RepoSession* session);

/// The step of `viand run`.
arrow::Result<StepReport> ApplyDefinitions(RepoSession* session, bool yes);

}  // namespace viand::store
