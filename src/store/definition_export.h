// `export` and `import`: definitions as text.
#pragma once

#include <string>
#include <vector>

#include "src/store/repo_session.h"

namespace viand::store {

/// FeatureStore::Export.
arrow::Result<std::string> ExportDefinitions(RepoSession* session, const std::string& format);

/// FeatureStore::Import.
arrow::Result<std::string> ImportDefinitions(RepoSession* session,
                                             const std::vector<std::string>& names);

}  // namespace viand::store
