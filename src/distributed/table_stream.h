// Tables as messages in memory: how they travel to other processes and machines
// (docs/formats/plan.md). A message is an Arrow IPC stream, or, where that is shorter, an IPC
// stream of some columns and packed numbers (packed_numbers.h) for the others.
#pragma once

#include <memory>

#include "src/common/error.h"

namespace arrow {
class Buffer;
class Table;
}  // namespace arrow

namespace viand::distributed {

/// Prints a table, with the values of dictionaries that its rows use alone.
arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeTable(
    const std::shared_ptr<arrow::Table>& table);

/// Reads one back. Columns that are not packed lie in the buffer, which they keep. Damaged bytes
/// around packed numbers are kInput.
arrow::Result<std::shared_ptr<arrow::Table>> ParseTable(std::shared_ptr<arrow::Buffer> buffer);

}  // namespace viand::distributed
