// Bound definitions -> engine plans.
#pragma once

#include <string>
#include <vector>

#include "src/engine/plan.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

/// The plan that computes a view's rows, or a labels' columns, from its source.
arrow::Result<engine::WindowView> PlanComputation(const RepoContext& context,
                                                  const definition::BoundView& view);

/// Hash of all that decides a computed row beside the source's content and t: not of descriptions,
/// owners, tags.
std::string ComputationHash(const RepoContext& context, const definition::BoundView& view);

/// The longest reach of its windows before and after t; `unbounded` gives the limits of int64.
struct Reach {
  int64_t before_us = 0;
  int64_t after_us = 0;
};
Reach ReachOf(const definition::BoundView& view);

/// The features that a lookup brings and the names that they get.
struct LookupRequest {
  const definition::BoundView* view = nullptr;
  std::vector<std::string> features;  ///< empty: all, in order of definition
  std::string prefix;                 ///< what stands before them in the result
  std::string alias;                  ///< of a service
  std::map<std::string, std::string> join_key_map;
  bool created_not_after = false;
};

/// How a view is looked up at spine rows: its stored rows as of t, its ready source as of t, or
/// computed at t.
arrow::Result<engine::Lookup> PlanLookup(const RepoContext& context, const LookupRequest& request);

/// The lookup of labels at the rows of their population.
arrow::Result<engine::Lookup> PlanLabelLookup(const RepoContext& context,
                                              const definition::BoundView& labels);

}  // namespace viand::offline
