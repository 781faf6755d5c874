// Retrieval without a spine: the rows are those that the views themselves have in a range of time.
#pragma once

#include <string>
#include <vector>

#include "src/engine/plan.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

/// Times as text (common/time.h), bounds inclusive. Without an end it is now; without a start the
/// end less the longest ttl of the views, or 30 days where none has one: Feast's rule.
struct SpineRange {
  std::string start, end;
  bool every_row = false;  ///< a row for each (keys, time) of a feature row; else for each key, at
                           ///< the end
};

/// Makes the spine of lookups: the keys in the range of those that have all the keys asked for,
/// once each, then `timestamp_column`; ordered by keys, or with every_row by (time, keys). Lookups
/// of which none has all keys are kUsage.
arrow::Result<engine::Scan> SpineOfRange(const RepoContext& context,
                                         const std::vector<engine::Lookup>& lookups,
                                         const SpineRange& range,
                                         const std::string& timestamp_column);

}  // namespace viand::offline
