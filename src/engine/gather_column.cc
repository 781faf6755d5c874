#include "src/engine/gather_column.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace viand::engine {
namespace {

/// Values of a fixed number of bytes: each goes straight to its place.
template <typename Value>
class FixedColumn : public GatherColumn {
 public:
  FixedColumn(std::shared_ptr<arrow::DataType> type, int64_t rows, arrow::MemoryPool* pool)
      : type_(std::move(type)), rows_(rows), pool_(pool) {}

  arrow::Status Open() {
    VIAND_ASSIGN_OR_RETURN(values_, arrow::AllocateBuffer(rows_ * sizeof(Value), pool_));
    return arrow::Status::OK();
  }

  arrow::Status Add(const std::shared_ptr<arrow::Array>& batch, std::span<const WantedRow> wanted,
                    int64_t first) override {
    const Value* from = batch->data()->GetValues<Value>(1) - first;
    auto* to = reinterpret_cast<Value*>(values_->mutable_data());
    for (const WantedRow& row : wanted) to[row.rank] = from[row.position];
    return batch->null_count() == 0 ? arrow::Status::OK() : AddNulls(*batch, wanted, first);
  }

  arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Finish() override {
    return std::make_shared<arrow::ChunkedArray>(
        arrow::MakeArray(arrow::ArrayData::Make(type_, rows_, {validity_, values_}, nulls_)));
  }

 private:
  /// A null's value is zero, so that equal results have equal bytes.
  arrow::Status AddNulls(const arrow::Array& batch, std::span<const WantedRow> wanted,
                         int64_t first) {
    auto* to = reinterpret_cast<Value*>(values_->mutable_data());
    for (const WantedRow& row : wanted) {
      if (batch.IsValid(row.position - first)) continue;
      if (validity_ == nullptr) {
        VIAND_ASSIGN_OR_RETURN(validity_, arrow::AllocateBitmap(rows_, pool_));
        std::memset(validity_->mutable_data(), 0xff, validity_->size());
      }
      arrow::bit_util::ClearBit(validity_->mutable_data(), row.rank);
      to[row.rank] = Value{};
      ++nulls_;
    }
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::DataType> type_;
  const int64_t rows_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::Buffer> values_, validity_;
  int64_t nulls_ = 0;
};

/// Values that differ in length: taken from each batch once, however many rows want them, and put
/// in order at the end.
class AnyColumn : public GatherColumn {
 public:
  AnyColumn(std::shared_ptr<arrow::DataType> type, int64_t rows, arrow::MemoryPool* pool,
            int64_t most_text_bytes)
      : type_(std::move(type)),
        pool_(pool),
        most_text_bytes_(most_text_bytes),
        place_of_rank_(rows) {}

  arrow::Status Add(const std::shared_ptr<arrow::Array>& batch, std::span<const WantedRow> wanted,
                    int64_t first) override {
    std::vector<int64_t> positions;
    for (const WantedRow& row : wanted) {
      const int64_t position = row.position - first;
      if (positions.empty() || positions.back() != position) positions.push_back(position);
      place_of_rank_[row.rank] = taken_rows_ + static_cast<int64_t>(positions.size()) - 1;
    }
    taken_rows_ += static_cast<int64_t>(positions.size());
    VIAND_ASSIGN_OR_RETURN(auto taken, Take(*batch, positions));
    taken_.push_back(std::move(taken));
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Finish() override {
    if (taken_.empty()) return arrow::ChunkedArray::MakeEmpty(type_, pool_);
    VIAND_ASSIGN_OR_RETURN(const auto all, arrow::Concatenate(taken_, pool_));
    taken_.clear();
    arrow::ArrayVector pieces;
    for (std::span<const int64_t> left(place_of_rank_); !left.empty();) {
      const size_t rows = RowsOfPiece(*all, left);
      VIAND_ASSIGN_OR_RETURN(pieces.emplace_back(), Take(*all, left.first(rows)));
      left = left.subspan(rows);
    }
    return std::make_shared<arrow::ChunkedArray>(std::move(pieces), type_);
  }

 private:
  /// How many of the places have texts that fit a piece; at least one.
  size_t RowsOfPiece(const arrow::Array& all, std::span<const int64_t> places) const {
    if (!arrow::is_binary_like(type_->id())) return places.size();
    const auto& texts = static_cast<const arrow::BinaryArray&>(all);
    int64_t bytes = 0;
    for (size_t i = 0; i < places.size(); ++i) {
      bytes += texts.value_length(places[i]);
      if (bytes > most_text_bytes_) return std::max<size_t>(i, 1);
    }
    return places.size();
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Take(const arrow::Array& values,
                                                    std::span<const int64_t> indices) const {
    arrow::compute::ExecContext context(pool_);
    context.set_use_threads(false);
    const arrow::Int64Array places(static_cast<int64_t>(indices.size()),
                                   arrow::Buffer::Wrap(indices.data(), indices.size()));
    return arrow::compute::Take(values, places, arrow::compute::TakeOptions::NoBoundsCheck(),
                                &context);
  }

  const std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* const pool_;
  const int64_t most_text_bytes_;
  arrow::ArrayVector taken_;
  int64_t taken_rows_ = 0;
  std::vector<int64_t> place_of_rank_;  // of the values in `taken_`
};

template <typename Value>
arrow::Result<std::unique_ptr<GatherColumn>> MakeFixed(const std::shared_ptr<arrow::DataType>& type,
                                                       int64_t rows, arrow::MemoryPool* pool) {
  auto column = std::make_unique<FixedColumn<Value>>(type, rows, pool);
  VIAND_RETURN_NOT_OK(column->Open());
  return column;
}

}  // namespace

arrow::Result<std::unique_ptr<GatherColumn>> GatherColumn::Make(
    const std::shared_ptr<arrow::DataType>& type, int64_t rows, arrow::MemoryPool* pool,
    int64_t most_text_bytes) {
  const bool fixed = arrow::is_primitive(type->id()) || arrow::is_decimal(type->id());
  switch (fixed && type->id() != arrow::Type::BOOL ? type->byte_width() : 0) {
    case 1:
      return MakeFixed<uint8_t>(type, rows, pool);
    case 2:
      return MakeFixed<uint16_t>(type, rows, pool);
    case 4:
      return MakeFixed<uint32_t>(type, rows, pool);
    case 8:
      return MakeFixed<uint64_t>(type, rows, pool);
    case 16:
      return MakeFixed<std::array<uint64_t, 2>>(type, rows, pool);
    default:
      return std::make_unique<AnyColumn>(type, rows, pool, most_text_bytes);
  }
}

}  // namespace viand::engine
