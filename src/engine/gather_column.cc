#include "src/engine/gather_column.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

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

  arrow::Result<std::shared_ptr<arrow::Array>> Finish() override {
    return arrow::MakeArray(arrow::ArrayData::Make(type_, rows_, {validity_, values_}, nulls_));
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

/// Values that differ in length: taken from each batch, and put in order at the end.
class AnyColumn : public GatherColumn {
 public:
  AnyColumn(std::shared_ptr<arrow::DataType> type, int64_t rows, arrow::MemoryPool* pool)
      : type_(std::move(type)), pool_(pool), place_of_rank_(rows) {}

  arrow::Status Add(const std::shared_ptr<arrow::Array>& batch, std::span<const WantedRow> wanted,
                    int64_t first) override {
    std::vector<int64_t> positions;
    for (const WantedRow& row : wanted) {
      positions.push_back(row.position - first);
      place_of_rank_[row.rank] = next_++;
    }
    VIAND_ASSIGN_OR_RETURN(auto taken, Take(*batch, std::move(positions)));
    taken_.push_back(std::move(taken));
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish() override {
    if (taken_.empty()) return arrow::MakeEmptyArray(type_, pool_);
    VIAND_ASSIGN_OR_RETURN(const auto all, arrow::Concatenate(taken_, pool_));
    taken_.clear();
    return Take(*all, std::move(place_of_rank_));
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> Take(const arrow::Array& values,
                                                    std::vector<int64_t> indices) const {
    arrow::compute::ExecContext context(pool_);
    context.set_use_threads(false);
    const auto count = static_cast<int64_t>(indices.size());
    const arrow::Int64Array places(count, arrow::Buffer::FromVector(std::move(indices)));
    return arrow::compute::Take(values, places, arrow::compute::TakeOptions::NoBoundsCheck(),
                                &context);
  }

  const std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* const pool_;
  arrow::ArrayVector taken_;
  std::vector<int64_t> place_of_rank_;  // of the values in `taken_`
  int64_t next_ = 0;
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
    const std::shared_ptr<arrow::DataType>& type, int64_t rows, arrow::MemoryPool* pool) {
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
      return std::make_unique<AnyColumn>(type, rows, pool);
  }
}

}  // namespace viand::engine
