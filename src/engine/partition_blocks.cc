#include "src/engine/partition_blocks.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>

#include "src/common/block_pool.h"
#include "src/engine/partition_rows.h"

namespace viand::engine {
namespace {

/// Room for the share of one among so many partitions, and four deviations: chance seldom makes it
/// larger. 0: a column's share is smaller than blocks that the pool keeps.
int64_t RoomEach(int64_t rows, int partitions) {
  const double mean = static_cast<double>(rows) / std::max(1, partitions);
  const auto room = static_cast<int64_t>(mean + 4 * std::sqrt(mean));
  constexpr auto kLeastRows = BlockPool::kLeastBlockBytes / static_cast<int64_t>(sizeof(int64_t));
  return partitions > 1 && room >= kLeastRows ? room : 0;
}

}  // namespace

PartitionBlocks::PartitionBlocks(std::shared_ptr<arrow::Schema> schema, int partitions,
                                 int64_t rows, arrow::MemoryPool* pool)
    : schema_(std::move(schema)),
      rows_each_(RoomEach(rows, partitions)),
      pool_(pool),
      blocks_(partitions),
      added_(partitions) {}

bool PartitionBlocks::Takes(const arrow::RecordBatch& batch) const {
  return rows_each_ > 0 && std::all_of(batch.columns().begin(), batch.columns().end(),
                                       [](const auto& column) { return IsPlainNumbers(*column); });
}

arrow::Status PartitionBlocks::Add(const arrow::RecordBatch& batch,
                                   const std::vector<int32_t>& row_partitions, Parts* parts) {
  VIAND_RETURN_NOT_OK(MakeRoom(row_partitions, parts));
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Array& column = *batch.column(i);
    switch (column.type()->byte_width()) {
      case 2:
        AddColumn<uint16_t>(column, i, row_partitions);
        break;
      case 4:
        AddColumn<uint32_t>(column, i, row_partitions);
        break;
      default:
        AddColumn<uint64_t>(column, i, row_partitions);
    }
  }
  for (size_t p = 0; p < blocks_.size(); ++p) blocks_[p].rows += added_[p];
  return arrow::Status::OK();
}

arrow::Status PartitionBlocks::MakeRoom(const std::vector<int32_t>& row_partitions, Parts* parts) {
  std::fill(added_.begin(), added_.end(), 0);
  for (const int32_t partition : row_partitions) {
    if (partition >= 0) ++added_[partition];
  }
  for (size_t p = 0; p < blocks_.size(); ++p) {
    Block& block = blocks_[p];
    if (block.rows + added_[p] <= block.room) continue;
    EndBlock(static_cast<int>(p), parts);
    block.room = std::max(rows_each_, added_[p]);
    for (const auto& field : schema_->fields()) {
      VIAND_ASSIGN_OR_RETURN(
          block.columns.emplace_back(),
          arrow::AllocateBuffer(block.room * field->type()->byte_width(), pool_));
    }
  }
  return arrow::Status::OK();
}

template <typename T>
void PartitionBlocks::AddColumn(const arrow::Array& column, int index,
                                const std::vector<int32_t>& row_partitions) {
  std::vector<T*> next(blocks_.size(), nullptr);
  for (size_t p = 0; p < blocks_.size(); ++p) {
    const Block& block = blocks_[p];
    if (added_[p] > 0)
      next[p] = reinterpret_cast<T*>(block.columns[index]->mutable_data()) + block.rows;
  }
  const T* values = column.data()->GetValues<T>(1);
  for (size_t row = 0; row < row_partitions.size(); ++row) {
    if (row_partitions[row] >= 0) *next[row_partitions[row]]++ = values[row];
  }
}

void PartitionBlocks::EndBlock(int partition, Parts* parts) {
  Block& block = blocks_[partition];
  if (block.rows > 0) {
    arrow::ArrayVector columns;
    for (int i = 0; i < schema_->num_fields(); ++i)
      columns.push_back(arrow::MakeArray(arrow::ArrayData::Make(
          schema_->field(i)->type(), block.rows, {nullptr, std::move(block.columns[i])}, 0)));
    (*parts)[partition].push_back(
        arrow::RecordBatch::Make(schema_, block.rows, std::move(columns)));
  }
  block = {};
}

void PartitionBlocks::End(Parts* parts) {
  for (size_t p = 0; p < blocks_.size(); ++p) EndBlock(static_cast<int>(p), parts);
}

}  // namespace viand::engine
