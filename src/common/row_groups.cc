#include "src/common/row_groups.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <parquet/arrow/writer.h>

#include <algorithm>

#include "src/common/block_pool.h"

namespace viand {
namespace {

template <typename Values>
int64_t BetweenOffsets(const arrow::Array& values, int64_t first, int64_t count) {
  const auto& texts = static_cast<const Values&>(values);
  return texts.value_offset(first + count) - texts.value_offset(first);
}

template <typename List>
int64_t BytesOfLists(const arrow::Array& values, int64_t first, int64_t count) {
  const auto& lists = static_cast<const List&>(values);
  const int64_t begin = lists.value_offset(first);
  return BytesOfRows(*lists.values(), begin, lists.value_offset(first + count) - begin);
}

template <typename Views>
int64_t BytesOfViews(const arrow::Array& values, int64_t first, int64_t count) {
  const auto& views = static_cast<const Views&>(values);
  int64_t bytes = 0;
  for (int64_t i = first; i < first + count; ++i)
    bytes += views.IsNull(i) ? 0 : static_cast<int64_t>(views.GetView(i).size());
  return bytes;
}

int64_t BytesOfCoded(const arrow::Array& values, int64_t first, int64_t count) {
  const auto& coded = static_cast<const arrow::DictionaryArray&>(values);
  int64_t bytes = 0;
  for (int64_t i = first; i < first + count; ++i)
    bytes += coded.IsNull(i) ? 0 : BytesOfRows(*coded.dictionary(), coded.GetValueIndex(i), 1);
  return bytes;
}

int64_t BytesOfStructs(const arrow::Array& values, int64_t first, int64_t count) {
  int64_t bytes = 0;
  for (const auto& field : static_cast<const arrow::StructArray&>(values).fields())
    bytes += BytesOfRows(*field, first, count);
  return bytes;
}

int64_t BytesOf(const arrow::RecordBatch& batch, int64_t first, int64_t count) {
  int64_t bytes = 0;
  for (const auto& column : batch.columns()) bytes += BytesOfRows(*column, first, count);
  return bytes;
}

}  // namespace

int64_t BytesOfRows(const arrow::Array& values, int64_t first, int64_t count) {
  switch (values.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return BetweenOffsets<arrow::BinaryArray>(values, first, count);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return BetweenOffsets<arrow::LargeBinaryArray>(values, first, count);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return BytesOfViews<arrow::BinaryViewArray>(values, first, count);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return BytesOfLists<arrow::ListArray>(values, first, count);
    case arrow::Type::LARGE_LIST:
      return BytesOfLists<arrow::LargeListArray>(values, first, count);
    case arrow::Type::FIXED_SIZE_LIST:
      return BytesOfLists<arrow::FixedSizeListArray>(values, first, count);
    case arrow::Type::STRUCT:
      return BytesOfStructs(values, first, count);
    case arrow::Type::DICTIONARY:
      return BytesOfCoded(values, first, count);
    default:
      return std::max(values.type()->bit_width(), 0) * count / 8;
  }
}

int64_t BytesOfRows(const arrow::Table& table) {
  int64_t bytes = 0;
  for (const auto& column : table.columns()) {
    for (const auto& chunk : column->chunks()) bytes += BytesOfRows(*chunk, 0, chunk->length());
  }
  return bytes;
}

int64_t RowGroups::RowsThatFit(const arrow::RecordBatch& batch, int64_t first) const {
  const int64_t most = std::min(batch.num_rows() - first, most_rows_ - rows_);
  if (bytes_ + BytesOf(batch, first, most) <= most_bytes_) return most;
  int64_t fit = 0, too_many = most;
  while (fit + 1 < too_many) {
    const int64_t rows = fit + (too_many - fit) / 2;
    (bytes_ + BytesOf(batch, first, rows) <= most_bytes_ ? fit : too_many) = rows;
  }
  return rows_ == 0 ? std::max<int64_t>(fit, 1) : fit;
}

arrow::Status RowGroups::Write(const arrow::RecordBatch& batch, RowGroupOutput* output) {
  for (int64_t first = 0; first < batch.num_rows();) {
    const int64_t rows = RowsThatFit(batch, first);
    if (rows > 0) {
      VIAND_RETURN_NOT_OK(Add(*batch.Slice(first, rows), output));
      rows_ += rows;
      bytes_ += BytesOf(batch, first, rows);
      first += rows;
    }
    if (rows == 0 || rows_ == most_rows_) VIAND_RETURN_NOT_OK(Finish(output));
  }
  return arrow::Status::OK();
}

arrow::Status RowGroups::Add(const arrow::RecordBatch& rows, RowGroupOutput* output) {
  int64_t first = 0;
  if (kept_rows_ > 0) {
    first = std::min(kBlockRows - kept_rows_, rows.num_rows());
    Keep(*rows.Slice(0, first));
    if (kept_rows_ == kBlockRows) VIAND_RETURN_NOT_OK(AddKept(output));
  }
  const int64_t left = rows.num_rows() - first;
  const int64_t whole = left / kBlockRows * kBlockRows;
  if (whole > 0) VIAND_RETURN_NOT_OK(output->Add(rows.Slice(first, whole)));
  if (left > whole) Keep(*rows.Slice(first + whole));
  return arrow::Status::OK();
}

void RowGroups::Keep(const arrow::RecordBatch& rows) {
  kept_.push_back(rows.Slice(0));
  kept_rows_ += rows.num_rows();
}

arrow::Status RowGroups::AddKept(RowGroupOutput* output) {
  if (kept_.empty()) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches(kept_));
  VIAND_ASSIGN_OR_RETURN(auto block, table->CombineChunksToBatch(ProcessPool()));
  kept_.clear();
  kept_rows_ = 0;
  return output->Add(block);
}

arrow::Status RowGroups::Finish(RowGroupOutput* output) {
  VIAND_RETURN_NOT_OK(AddKept(output));
  rows_ = bytes_ = 0;
  return output->EndRowGroup();
}

ArrowRowGroups::ArrowRowGroups(std::unique_ptr<parquet::arrow::FileWriter> writer)
    : writer_(std::move(writer)) {}
ArrowRowGroups::~ArrowRowGroups() = default;

arrow::Status ArrowRowGroups::Add(const std::shared_ptr<arrow::RecordBatch>& rows) {
  if (!begun_) VIAND_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
  begun_ = true;
  return writer_->WriteRecordBatch(*rows);
}

arrow::Status ArrowRowGroups::EndRowGroup() {
  begun_ = false;  // the writer ends it with the next, or with the file
  return arrow::Status::OK();
}

arrow::Status ArrowRowGroups::WriteGroup(const arrow::Table& rows) {
  begun_ = false;
  return writer_->WriteTable(rows, std::max<int64_t>(rows.num_rows(), 1));
}

arrow::Status ArrowRowGroups::Close() { return writer_->Close(); }

}  // namespace viand
