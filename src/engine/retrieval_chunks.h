// How the rows of a retrieval are cut into what is put together at a time.
#pragma once

#include <vector>

#include "src/engine/execute.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/retrieved_rows.h"
#include "src/engine/spine.h"

namespace viand::engine {

/// Where the driver puts them together: by its memory.
arrow::Result<RetrievedChunks> ChooseChunks(const Spine& spine,
                                            const std::vector<OpenedLookup>& lookups,
                                            const ExecuteOptions& options);

/// Where fragments write them: by the rows and their bytes alone.
arrow::Result<RetrievedChunks> ChooseParts(const Spine& spine,
                                           const std::vector<OpenedLookup>& lookups,
                                           const ExecuteOptions& options);

/// Where the executor holds them: the same, and each no more than a fragment has room for.
arrow::Result<RetrievedChunks> ChooseHeld(const Spine& spine,
                                          const std::vector<OpenedLookup>& lookups,
                                          const ExecuteOptions& options);

}  // namespace viand::engine
