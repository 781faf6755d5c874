// The parts that a snapshot view should have: what backfill brings about and plan foretells.
//
// Thread-safe: functions of their arguments and of what is on disk.
#pragma once

#include <cstdint>
#include <vector>

#include "src/offline/part_store.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

/// One part a cutoff of the grid, named by the fingerprint of all that its rows depend on; their
/// rows are not counted yet.
std::vector<Part> DesiredParts(const RepoContext& context, const definition::BoundView& view,
                               const registry::ResolvedGrid& grid, const SourceContent& content);

/// Bytes of the files of a scan that are on this machine.
int64_t SourceBytes(const engine::Scan& scan);

/// What a backfill of a view would do, without doing it.
struct BackfillEstimate {
  int64_t cutoffs = 0;
  int64_t cutoffs_missing = 0;
  bool has_stored_rows = false;
  /// Of what would be written: by the rows and bytes a stored cutoff has, else at most the rows of
  /// the source in reach.
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t rows_read = 0;  ///< of the source in reach of the missing cutoffs, taken as evenly spread
  int64_t bytes_read = 0;
};

/// Estimates by names and footers; no row is read. `content` is that of the view's source;
/// `source_changes`: that will be another, so that every cutoff counts as missing.
arrow::Result<BackfillEstimate> EstimateBackfill(const RepoContext& context,
                                                 const definition::BoundView& view,
                                                 const registry::ResolvedGrid& grid,
                                                 const SourceContent& content, bool source_changes);

}  // namespace viand::offline
