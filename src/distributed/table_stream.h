// Tables as Arrow IPC streams in memory: how they travel to other processes and machines.
#pragma once

#include <memory>

#include "src/common/error.h"

namespace arrow {
class Buffer;
class Table;
}  // namespace arrow

namespace viand::distributed {

/// Prints a table as a stream, with the values of dictionaries that its rows use alone.
arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeTable(
    const std::shared_ptr<arrow::Table>& table);

/// Reads one back. Its columns lie in the buffer, which they keep.
arrow::Result<std::shared_ptr<arrow::Table>> ParseTable(std::shared_ptr<arrow::Buffer> buffer);

}  // namespace viand::distributed
