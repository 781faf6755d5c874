#include "src/store/ipc_batches.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>

#include "src/common/block_pool.h"

namespace viand::store {
namespace {

bool IsOrHasDictionary(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) return true;
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return IsOrHasDictionary(*field->type()); });
}

/// Writes zeros where numbers are null. The buffers are the data's own, with offset 0.
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

bool HasDictionaries(const arrow::Schema& schema) {
  return IsOrHasDictionary(*arrow::struct_(schema.fields()));
}

arrow::Result<std::shared_ptr<arrow::Array>> JoinedExactly(const arrow::ArrayVector& arrays) {
  VIAND_ASSIGN_OR_RETURN(auto joined, arrow::Concatenate(arrays, ProcessPool()));
  ClearNulls(joined->data().get());
  return joined;
}

arrow::Status IpcBatches::Output::Add(const std::shared_ptr<arrow::RecordBatch>& rows) {
  rows_.push_back(rows);
  return arrow::Status::OK();
}

arrow::Status IpcBatches::Output::EndRowGroup() {
  if (rows_.empty()) return arrow::Status::OK();
  int64_t count = 0;
  for (const auto& rows : rows_) count += rows->num_rows();
  arrow::ArrayVector columns;
  for (int i = 0; i < rows_[0]->num_columns(); ++i) {
    arrow::ArrayVector pieces;
    for (const auto& rows : rows_) pieces.push_back(rows->column(i));
    VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), JoinedExactly(pieces));
  }
  const auto schema = rows_[0]->schema();
  rows_.clear();
  return writer_->WriteRecordBatch(*arrow::RecordBatch::Make(schema, count, std::move(columns)));
}

arrow::Status IpcBatches::Output::WriteGroup(const arrow::Table& rows) {
  VIAND_RETURN_NOT_OK(EndRowGroup());
  arrow::TableBatchReader pieces(rows);
  std::shared_ptr<arrow::RecordBatch> piece;
  while (true) {
    VIAND_RETURN_NOT_OK(pieces.ReadNext(&piece));
    if (piece == nullptr) return EndRowGroup();
    VIAND_RETURN_NOT_OK(Add(piece));
  }
}

}  // namespace viand::store
