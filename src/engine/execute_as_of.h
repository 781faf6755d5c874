// Runs an as-of fragment: one partition's join, with as many of its features at a time as it says.
#pragma once

#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// The schema of an as-of join's outputs: row number of the spine, position in what a map fragment
/// read.
std::shared_ptr<arrow::Schema> FoundSchema();

/// As ExecuteFragment.
arrow::Result<Tables> ExecuteAsOf(const AsOfFragment& join, const Tables& inputs,
                                  const FragmentContext& context);

}  // namespace viand::engine
