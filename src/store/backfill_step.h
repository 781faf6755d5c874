// The step `backfill`: stored rows of views.
#pragma once

#include <vector>

#include "src/store/repo_session.h"

namespace viand::store {

/// One report a view, in their order. Views may share passes over a source, whose time is shared
/// out by the cutoffs that each had computed.
arrow::Result<std::vector<StepReport>> BackfillSteps(
    RepoSession* session, const std::vector<const definition::BoundView*>& views);

}  // namespace viand::store
