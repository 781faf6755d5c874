// Ranges of the spine's rows: a result is put together one after another, so what belongs to one is
// kept together from where it was found.
//
// Tables here ascend by their first column, the row number (int64).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::engine {

/// Most chunks of a plan: each piece of a lookup is cut into as many tables.
inline constexpr int kMaxRowChunks = 4096;

/// Chunk c has the rows from c * rows_each up to the next's; the last has all that follow.
struct RowChunks {
  int64_t rows_each = 0;  ///< counts where there are several
  int count = 1;

  bool operator==(const RowChunks&) const = default;
};

/// The rows whose numbers are from `from` up to `to`, without it.
std::shared_ptr<arrow::Table> RowsBetween(const std::shared_ptr<arrow::Table>& table, int64_t from,
                                          int64_t to);

/// One slice a chunk. A first column that is no int64 is kInput.
arrow::Result<std::vector<std::shared_ptr<arrow::Table>>> DealByRow(
    const std::shared_ptr<arrow::Table>& table, const RowChunks& chunks);

}  // namespace viand::engine
