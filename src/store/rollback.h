// `rollback`: an old version of a definition, back in the repo's files.
#pragma once

#include <string>

#include "src/store/repo_session.h"

namespace viand::store {

/// FeatureStore::Rollback. Replaces the object's lines in the file that defines it, keeping its
/// indentation, or appends it to NAME.yaml where no file does. The files are read again before
/// anything is written: what is written is the version asked for, word for word of its meaning.
arrow::Result<RollbackReport> RollBack(RepoSession* session, const std::string& versioned_name,
                                       const RollbackOptions& options);

}  // namespace viand::store
