// Computed views with snapshots -> stored rows, one part a cutoff; only what is not fresh is
// computed.
#pragma once

#include "src/offline/part_store.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

struct BackfillReport {
  const definition::BoundView* view = nullptr;
  int64_t rows = 0;  ///< of all cutoffs
  int64_t cutoffs = 0;
  int64_t cutoffs_computed = 0;
};

/// Brings the stored rows of views up to date with their definitions, sources and grids; each view
/// comes after those of `views` that it reads, and none twice. Views over the same rows are
/// computed in one pass. Killed or cancelled in the middle, the next call computes only what is
/// missing. Reports are in the order of the views. A view without snapshots is kUsage.
arrow::Result<std::vector<BackfillReport>> BackfillViews(
    const RepoContext& context, const std::vector<const definition::BoundView*>& views);

/// Writes the rows of a view at one time T, as if T were one of its snapshots, to a Parquet file:
/// `path`, absolute or an address, which the executor reaches. Views that it reads are taken as
/// stored.
arrow::Status ComputeAt(const RepoContext& context, const definition::BoundView& view,
                        int64_t time_us, const std::string& path);

/// Views with snapshots in an order in which each comes after the views that it reads.
std::vector<const definition::BoundView*> ViewsToBackfill(const RepoContext& context);

}  // namespace viand::offline
