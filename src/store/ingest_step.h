// The step `ingest`: one dataset, made again only where its files or its definition changed.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

/// Brings a dataset's output up to date; `force` makes it again in any case.
arrow::Result<StepReport> IngestDataset(RepoSession* session,
                                        const definition::BoundDataset& dataset, bool force);

}  // namespace viand::store
