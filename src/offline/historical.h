// Historical retrieval: features as of the rows of a spine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/offline/range_spine.h"
#include "src/offline/repo_context.h"
#include "src/offline/view_plan.h"

namespace viand::offline {

struct HistoricalRequest {
  engine::Scan spine;
  std::optional<SpineRange> range;  ///< instead of the spine
  std::string timestamp_column = "event_timestamp";
  std::vector<std::string> features;  ///< "view:feature" or "view"
  std::string service;                ///< empty: none
  bool full_feature_names = false;    ///< "view__feature"
  bool created_not_after = false;
};

/// Resolves names into a plan: unknown views, features, services are kUsage with the nearest name;
/// a label is refused.
arrow::Result<engine::RetrievalPlan> PlanHistorical(const RepoContext& context,
                                                    const HistoricalRequest& request);

/// The views and features of a service, in its order.
arrow::Result<std::vector<LookupRequest>> RequestsOfService(const RepoContext& context,
                                                            const std::string& service);

/// Names of the columns that a list of lookups brings, in order.
std::vector<std::string> FeatureColumns(const std::vector<LookupRequest>& requests);

}  // namespace viand::offline
