#include "src/store/exact_buffers.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>

#include "src/common/block_pool.h"
#include "src/store/csv_rows.h"

namespace viand::store {
namespace {

/// Writes zeros where numbers are null. The buffers are the data's own, but for a dictionary's
/// values; its offset is 0.
void ClearNulls(arrow::ArrayData* data) {
  for (const auto& child : data->child_data) ClearNulls(child.get());
  if (data->buffers.size() != 2 || data->buffers[0] == nullptr || data->buffers[1] == nullptr ||
      !arrow::is_fixed_width(data->type->id()))
    return;
  const uint8_t* valid = data->buffers[0]->data();
  uint8_t* values = data->buffers[1]->mutable_data();
  const int bits = data->type->bit_width();
  for (int64_t i = 0; i < data->length; ++i) {
    if (arrow::bit_util::GetBit(valid, i)) continue;
    if (bits == 1)
      arrow::bit_util::ClearBit(values, i);
    else
      std::fill_n(values + i * (bits / 8), bits / 8, uint8_t{0});
  }
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> WithExactBuffers(const arrow::Array& array) {
  VIAND_ASSIGN_OR_RETURN(auto copy,
                         arrow::Concatenate({arrow::MakeArray(array.data())}, ProcessPool()));
  ClearNulls(copy->data().get());
  return copy;
}

arrow::Status WriteExactBatches(arrow::RecordBatchReader* rows,
                                arrow::ipc::RecordBatchWriter* writer, int64_t* count) {
  return ForEachBatch(rows, count, [&](const auto& batch) -> arrow::Status {
    arrow::ArrayVector columns;
    for (const auto& column : batch->columns()) {
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), WithExactBuffers(*column));
    }
    return writer->WriteRecordBatch(
        *arrow::RecordBatch::Make(batch->schema(), batch->num_rows(), std::move(columns)));
  });
}

}  // namespace viand::store
