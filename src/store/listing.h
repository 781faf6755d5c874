// `list` and `describe`: the objects of a repo as people read them.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

/// Kinds that `list` and `describe` take: "entities", "feature-views", ... in the order of `list`
/// without a kind.
const std::vector<std::string>& ListedKinds();

/// Objects of a kind; an unknown kind is kUsage with the nearest one. "entity", "feature_views" are
/// understood too.
arrow::Result<std::vector<ObjectSummary>> ListObjects(RepoSession* session, const std::string& kind,
                                                      const std::vector<std::string>& tags);

/// FeatureStore::Search.
arrow::Result<std::vector<SearchHit>> SearchObjects(RepoSession* session, const std::string& text);

/// Everything that is known of one object; an unknown name is kUsage with the nearest one.
arrow::Result<ObjectFacts> DescribeObject(RepoSession* session, const std::string& kind,
                                          const std::string& name);

}  // namespace viand::store
