// Deals the rows of one batch out to partitions, keeping their order within each.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class MemoryPool;
class RecordBatch;
}  // namespace arrow

namespace viand::engine {

/// Whether values are numbers of 2, 4 or 8 bytes, none of them null.
bool IsPlainNumbers(const arrow::Array& column);

/// Chooses a partition for each row: by the hash of `keys` (plain types; none: partition 0), or -1
/// where keep[i] is 0.
std::vector<int32_t> ChoosePartitions(const std::vector<std::shared_ptr<arrow::Array>>& keys,
                                      const std::vector<uint8_t>& keep, int partitions);

/// Returns one batch a partition, null where a partition gets no row. Each column is gathered once
/// into the order of the partitions and then sliced; with every row in partition 0 nothing is
/// copied.
arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> SplitRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::vector<int32_t>& row_partitions,
    int partitions, arrow::MemoryPool* pool = nullptr);

}  // namespace viand::engine
