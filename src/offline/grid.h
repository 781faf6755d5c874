// Snapshots resolved against the data: the cutoffs of a grid.
#pragma once

#include "src/definition/model.h"
#include "src/offline/source_content.h"
#include "src/registry/plan.h"

namespace viand::offline {

/// Cutoffs from `first` every `every_us` while <= `last`. An empty source or a grid without a
/// cutoff is kInput, saying which times it was computed from. Limit: 100,000 cutoffs.
arrow::Result<registry::ResolvedGrid> ResolveGrid(const definition::Snapshots& snapshots,
                                                  int64_t start_us, int64_t end_us);

}  // namespace viand::offline
