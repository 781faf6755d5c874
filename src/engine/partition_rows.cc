#include "src/engine/partition_rows.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>

#include "src/common/pool_vector.h"
#include "src/engine/partition_hash.h"

namespace viand::engine {
namespace {

/// First position of every partition among the rows kept, and after the last their number.
std::vector<int64_t> PartitionStarts(const std::vector<int32_t>& row_partitions, int partitions) {
  std::vector<int64_t> starts(partitions + 1, 0);
  for (int32_t partition : row_partitions) {
    if (partition >= 0) ++starts[partition + 1];
  }
  for (int p = 0; p < partitions; ++p) starts[p + 1] += starts[p];
  return starts;
}

/// The kept rows in the order of their partitions: a counting sort, which is stable.
arrow::Result<std::shared_ptr<arrow::Array>> RowsByPartition(
    const std::vector<int32_t>& row_partitions, std::vector<int64_t> next,
    arrow::MemoryPool* pool) {
  const int64_t kept = next.back();
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                         arrow::AllocateBuffer(kept * sizeof(int32_t), pool));
  auto* rows = reinterpret_cast<int32_t*>(buffer->mutable_data());
  for (size_t i = 0; i < row_partitions.size(); ++i) {
    if (row_partitions[i] >= 0) rows[next[row_partitions[i]]++] = static_cast<int32_t>(i);
  }
  return std::make_shared<arrow::Int32Array>(kept, buffer);
}

/// Where each row goes: behind the last of its partition; those that are not kept behind all.
PoolVector<int32_t> PlacesOfRows(const std::vector<int32_t>& row_partitions,
                                 std::vector<int64_t> next) {
  const auto kept = static_cast<int32_t>(next.back());
  PoolVector<int32_t> places(row_partitions.size());
  for (size_t i = 0; i < places.size(); ++i)
    places[i] = row_partitions[i] < 0 ? kept : static_cast<int32_t>(next[row_partitions[i]]++);
  return places;
}

/// With a place for those that are not kept, if there are any.
int64_t RoomOf(const PoolVector<int32_t>& places, int64_t kept) {
  return std::min(kept + 1, static_cast<int64_t>(places.size()));
}

/// Writes each value to its place: as many places are written in turn as there are partitions, and
/// the values are read once, in their order.
template <typename T>
arrow::Result<std::shared_ptr<arrow::Array>> Scattered(const arrow::Array& column,
                                                       const PoolVector<int32_t>& places,
                                                       int64_t kept, arrow::MemoryPool* pool) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                         arrow::AllocateBuffer(RoomOf(places, kept) * sizeof(T), pool));
  auto* out = reinterpret_cast<T*>(buffer->mutable_data());
  const T* values = column.data()->GetValues<T>(1);
  for (size_t i = 0; i < places.size(); ++i) out[places[i]] = values[i];
  return arrow::MakeArray(arrow::ArrayData::Make(column.type(), kept, {nullptr, buffer}, 0));
}

arrow::Result<std::shared_ptr<arrow::Array>> ScatteredNumbers(const arrow::Array& column,
                                                              const PoolVector<int32_t>& places,
                                                              int64_t kept,
                                                              arrow::MemoryPool* pool) {
  switch (column.type()->byte_width()) {
    case 2:
      return Scattered<uint16_t>(column, places, kept, pool);
    case 4:
      return Scattered<uint32_t>(column, places, kept, pool);
    default:
      return Scattered<uint64_t>(column, places, kept, pool);
  }
}

}  // namespace

bool IsPlainNumbers(const arrow::Array& column) {
  if (!arrow::is_primitive(column.type_id()) || column.null_count() != 0) return false;
  const int bits = column.type()->bit_width();
  return bits == 16 || bits == 32 || bits == 64;
}

std::vector<int32_t> ChoosePartitions(const std::vector<std::shared_ptr<arrow::Array>>& keys,
                                      const std::vector<uint8_t>& keep, int partitions) {
  std::vector<int32_t> result(keep.size(), 0);
  if (partitions > 1 && !keys.empty()) {
    std::vector<uint64_t> hashes(keep.size(), 0);
    for (const auto& key : keys) MixKeyHash(*key, &hashes);
    for (size_t i = 0; i < keep.size(); ++i) result[i] = PartitionOf(hashes[i], partitions);
  }
  for (size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] == 0) result[i] = -1;
  }
  return result;
}

arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> SplitRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::vector<int32_t>& row_partitions,
    int partitions, arrow::MemoryPool* pool) {
  if (pool == nullptr) pool = ProcessPool();
  std::vector<std::shared_ptr<arrow::RecordBatch>> result(partitions);
  const std::vector<int64_t> starts = PartitionStarts(row_partitions, partitions);
  if (starts.back() == 0) return result;
  std::shared_ptr<arrow::RecordBatch> ordered = batch;
  if (starts[1] != batch->num_rows()) {
    std::shared_ptr<arrow::Array> rows;  // once a column needs them
    PoolVector<int32_t> places;          // the same
    arrow::compute::ExecContext context(pool);
    context.set_use_threads(false);
    arrow::ArrayVector columns;
    for (const auto& column : batch->columns()) {
      if (IsPlainNumbers(*column)) {
        if (places.empty()) places = PlacesOfRows(row_partitions, starts);
        VIAND_ASSIGN_OR_RETURN(columns.emplace_back(),
                               ScatteredNumbers(*column, places, starts.back(), pool));
        continue;
      }
      if (rows == nullptr) {
        VIAND_ASSIGN_OR_RETURN(rows, RowsByPartition(row_partitions, starts, pool));
      }
      VIAND_ASSIGN_OR_RETURN(
          columns.emplace_back(),
          arrow::compute::Take(*column, *rows, arrow::compute::TakeOptions::NoBoundsCheck(),
                               &context));
    }
    ordered = arrow::RecordBatch::Make(batch->schema(), starts.back(), std::move(columns));
  }
  for (int p = 0; p < partitions; ++p) {
    if (starts[p + 1] > starts[p]) result[p] = ordered->Slice(starts[p], starts[p + 1] - starts[p]);
  }
  return result;
}

}  // namespace viand::engine
