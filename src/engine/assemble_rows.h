// Puts the parts of a result back into the order of the spine: the last step of a retrieval.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"
#include "src/engine/execute_fragment.h"

namespace viand::engine {

/// Returns the columns after the first of tables (row number: int64, columns...), in order of row
/// number. Together the tables have each row number of 0 ... rows - 1 exactly once; anything else
/// is kInput.
arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> AssembleRows(
    const Tables& parts, int64_t rows, arrow::MemoryPool* pool = nullptr);

}  // namespace viand::engine
