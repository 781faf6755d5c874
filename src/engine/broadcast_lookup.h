// Lookups where one side is small: it is sent whole to where the other is read, and the other is
// not dealt out.
//
// A small source goes to fragments that each scan a chunk of the spine and put out its features
// (BroadcastFragment). Of a small spine the keys go to the scan of the source, and only rows of
// these keys are dealt out (MapFragment::wanted_keys). The result is the same.
//
// Where fragments run elsewhere a side is small that takes at most 64 MiB and a sixteenth of a
// task's memory; a source must besides take less than dealing out would send. `partitions` asks for
// dealing out.
#pragma once

#include <vector>

#include "src/engine/execute.h"
#include "src/engine/executor.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/row_chunks.h"
#include "src/engine/spine.h"

namespace viand::engine {

/// Sets `broadcast` and `wants_keys` of the passes' lookups.
arrow::Status ChooseBroadcasts(const std::vector<LookupPass>& passes, const Spine& spine,
                               const RowChunks& chunks, const ExecuteOptions& options);

/// What a pass reads of its source, whole.
arrow::Result<MapRequest> RequestOfAll(const LookupPass& pass, const Spine& spine);

/// Looks a pass up whose source is broadcast: for each chunk of the spine a table of each lookup;
/// of an as-of lookup none where the source has no rows.
arrow::Result<std::vector<std::vector<TableReference>>> RunBroadcast(const LookupPass& pass,
                                                                     const Spine& spine,
                                                                     const RowChunks& chunks,
                                                                     const ExecuteOptions& options);

}  // namespace viand::engine
