// `viand run`: the steps as a graph, computing only what is not fresh.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

/// Names of the steps in order.
const std::vector<std::string>& StepNames();

arrow::Result<RunReport> RunPipeline(RepoSession* session, const RunOptions& options);

}  // namespace viand::store
