// Deals rows of many batches out to partitions, each partition's into blocks of its own: these are
// free as soon as whoever reads the partition is done, while slices of what one batch was dealt to
// (partition_rows.h) are free only with the last partition of all.
//
//   PartitionBlocks blocks(schema, 77, 1 << 20, pool);
//   if (blocks.Takes(*batch)) VIAND_RETURN_NOT_OK(blocks.Add(*batch, row_partitions, &parts));
//   blocks.End(&parts);
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class Buffer;
class MemoryPool;
class RecordBatch;
class Schema;
}  // namespace arrow

namespace viand::engine {

/// Not thread-safe.
class PartitionBlocks {
 public:
  /// By partition.
  using Parts = std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>>;

  /// About `rows` rows will come. Where a partition's share of them is less than blocks that the
  /// pool keeps, nothing is taken.
  PartitionBlocks(std::shared_ptr<arrow::Schema> schema, int partitions, int64_t rows,
                  arrow::MemoryPool* pool);

  /// Whether a batch has only numbers of 2, 4 or 8 bytes, none of them null.
  bool Takes(const arrow::RecordBatch& batch) const;
  /// Adds rows to their partitions, but for those of partition -1; blocks that are full go to
  /// `parts`.
  arrow::Status Add(const arrow::RecordBatch& batch, const std::vector<int32_t>& row_partitions,
                    Parts* parts);
  /// What was added goes to `parts`; what comes later is behind it.
  void End(Parts* parts);

 private:
  /// A partition's last rows.
  struct Block {
    std::vector<std::shared_ptr<arrow::Buffer>> columns;
    int64_t rows = 0;
    int64_t room = 0;
  };

  arrow::Status MakeRoom(const std::vector<int32_t>& row_partitions, Parts* parts);
  template <typename T>
  void AddColumn(const arrow::Array& column, int index, const std::vector<int32_t>& row_partitions);
  void EndBlock(int partition, Parts* parts);

  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t rows_each_;  // room of a block; 0: nothing is taken
  arrow::MemoryPool* const pool_;
  std::vector<Block> blocks_;
  std::vector<int64_t> added_;  // rows of the last batch, by partition
};

}  // namespace viand::engine
