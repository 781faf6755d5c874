// Computed views with snapshots -> stored rows, one part a cutoff; only what is not fresh is
// computed.
#pragma once

#include "src/offline/part_store.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

struct BackfillReport {
  int64_t rows = 0;  ///< of all cutoffs
  int64_t cutoffs = 0;
  int64_t cutoffs_computed = 0;
};

/// Brings the stored rows of a view up to date with its definition, its source and its grid. Killed
/// or cancelled in the middle, the next call computes only what is missing. A view without
/// snapshots is kUsage.
arrow::Result<BackfillReport> BackfillView(const RepoContext& context,
                                           const definition::BoundView& view);

/// The rows of a view at one time T, as if T were one of its snapshots; nothing is stored. Views
/// that it reads are taken as stored.
arrow::Result<std::shared_ptr<arrow::Table>> ComputeAt(const RepoContext& context,
                                                       const definition::BoundView& view,
                                                       int64_t time_us);

/// Views with snapshots in an order in which each comes after the views that it reads.
std::vector<const definition::BoundView*> ViewsToBackfill(const RepoContext& context);

}  // namespace viand::offline
