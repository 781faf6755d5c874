// Coded columns with the values that their rows use alone: a slice's dictionary would else travel,
// or go to disk, with every slice.
#pragma once

#include <memory>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::distributed {

/// The same rows; a dictionary with more values than its chunk has rows is made anew.
arrow::Result<std::shared_ptr<arrow::Table>> CompactDictionaries(
    const std::shared_ptr<arrow::Table>& table);

}  // namespace viand::distributed
