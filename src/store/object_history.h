// `history` and `diff`: what was applied over time.
#pragma once

#include <string>
#include <vector>

#include "src/definition/versioned_name.h"
#include "src/store/repo_session.h"

namespace viand::store {

/// One version of an object: what the registry holds, or held, of it.
struct ObjectVersion {
  registry::ObjectKind kind;
  std::string name;
  std::string label;  ///< "v1", "now"
  std::string content;
};

/// FeatureStore::History. kUsage for a name that was never applied, with the nearest.
arrow::Result<std::vector<HistoryEntry>> HistoryOf(RepoSession* session, const std::string& name,
                                                   const std::string& kind);

/// FeatureStore::Diff.
arrow::Result<VersionDifference> DiffVersions(RepoSession* session, const std::string& before,
                                              const std::string& after, const std::string& kind);

/// The version that "NAME@v1" names: of a view as Feast counts them, of other objects the contents
/// in the order in which they were applied. kUsage where there is none, or where objects of
/// several kinds have the name and `kind` is empty.
arrow::Result<ObjectVersion> FindVersion(RepoSession* session, const std::string& text,
                                         const std::string& kind);

}  // namespace viand::store
