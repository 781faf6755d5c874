// The step `backfill`: stored rows of one view.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

arrow::Result<StepReport> BackfillStep(RepoSession* session, const definition::BoundView& view);

}  // namespace viand::store
