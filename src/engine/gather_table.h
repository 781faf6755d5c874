// Runs a gather fragment whose features are a table in memory: any of its rows can be read as
// easily as the next, so the spine's rows are gone through in their own order, and what comes out
// is the result's columns.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// The schema of what an as-of join found in a table: row number of the spine, row of the table.
std::shared_ptr<arrow::Schema> FoundInTableSchema();

/// As ExecuteGather, of a fragment without files.
arrow::Result<Tables> GatherFromTable(const GatherFragment& gather, const Tables& inputs,
                                      const FragmentContext& context);

}  // namespace viand::engine
