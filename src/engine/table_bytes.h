// What the rows of a table take in memory.
#pragma once

#include <cstdint>

namespace arrow {
class Table;
}

namespace viand::engine {

/// Bytes that the table's values refer to, without those of dictionaries, which many tables share.
int64_t BytesInMemory(const arrow::Table& table);

}  // namespace viand::engine
