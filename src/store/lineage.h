// The lineage of a repo as text.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

/// FeatureStore::Lineage.
arrow::Result<std::string> LineageText(const RepoSession& session, const std::string& name,
                                       const LineageOptions& options);

}  // namespace viand::store
