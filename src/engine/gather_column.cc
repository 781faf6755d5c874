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

#include <array>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "src/common/pool_vector.h"

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

arrow::Result<std::shared_ptr<arrow::Array>> TakeRows(const arrow::Array& values,
                                                      std::span<const int64_t> rows,
                                                      arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  const arrow::Int64Array indices(static_cast<int64_t>(rows.size()),
                                  arrow::Buffer::Wrap(rows.data(), rows.size()));
  return arrow::compute::Take(values, indices, arrow::compute::TakeOptions::NoBoundsCheck(),
                              &context);
}

/// Values that differ in length: taken from each batch once, however many rows want them, and put
/// in order at the end.
class AnyColumn : public GatherColumn {
 public:
  AnyColumn(std::shared_ptr<arrow::DataType> type, int64_t rows, arrow::MemoryPool* pool)
      : type_(std::move(type)), pool_(pool), place_of_rank_(rows) {}

  arrow::Status Add(const std::shared_ptr<arrow::Array>& batch, std::span<const WantedRow> wanted,
                    int64_t first) override {
    std::vector<int64_t> positions;
    const auto piece = static_cast<int32_t>(taken_.size());
    for (const WantedRow& row : wanted) {
      const int64_t position = row.position - first;
      if (positions.empty() || positions.back() != position) positions.push_back(position);
      place_of_rank_[row.rank] = {piece, static_cast<int32_t>(positions.size()) - 1};
    }
    return TakeRows(*batch, positions, pool_).Value(&taken_.emplace_back());
  }

  arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Finish() override {
    if (taken_.empty()) return arrow::ChunkedArray::MakeEmpty(type_, pool_);
    std::vector<int64_t> starts;  // of the pieces among all values
    int64_t values = 0;
    for (const auto& piece : taken_) {
      starts.push_back(values);
      values += piece->length();
    }
    VIAND_ASSIGN_OR_RETURN(const auto all, arrow::Concatenate(taken_, pool_));
    taken_.clear();
    std::vector<int64_t> rows;
    for (const Place& place : place_of_rank_) rows.push_back(starts[place.piece] + place.index);
    VIAND_ASSIGN_OR_RETURN(auto in_order, TakeRows(*all, rows, pool_));
    return std::make_shared<arrow::ChunkedArray>(std::move(in_order));
  }

 protected:
  /// Of a value in `taken_`.
  struct Place {
    int32_t piece;
    int32_t index;
  };

  const std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* const pool_;
  arrow::ArrayVector taken_;
  PoolVector<Place> place_of_rank_;
};

/// Texts, or bytes: copied once more, into pieces none of which is large. Those that are taken may
/// lie on disk, and so may the pieces.
template <typename Texts>
class TextColumn final : public AnyColumn {
 public:
  TextColumn(std::shared_ptr<arrow::DataType> type, int64_t rows, arrow::MemoryPool* pool,
             int64_t most_text_bytes)
      : AnyColumn(std::move(type), rows, pool), most_text_bytes_(most_text_bytes) {}

  arrow::Result<std::shared_ptr<arrow::ChunkedArray>> Finish() override {
    if (taken_.empty()) return arrow::ChunkedArray::MakeEmpty(type_, pool_);
    for (const auto& piece : taken_) texts_.push_back(static_cast<const Texts*>(piece.get()));
    arrow::ArrayVector pieces;
    for (std::span<const Place> left(place_of_rank_); !left.empty();) {
      const auto [rows, bytes] = SizeOfPiece(left);
      VIAND_ASSIGN_OR_RETURN(pieces.emplace_back(), Copied(left.first(rows), bytes));
      left = left.subspan(rows);
    }
    return std::make_shared<arrow::ChunkedArray>(std::move(pieces), type_);
  }

 private:
  using Offset = typename Texts::offset_type;

  /// How many of the rows are in the next piece, at least one, and their bytes.
  std::pair<size_t, int64_t> SizeOfPiece(std::span<const Place> places) const {
    int64_t bytes = 0;
    for (size_t i = 0; i < places.size(); ++i) {
      const int64_t more = texts_[places[i].piece]->value_length(places[i].index);
      if (i > 0 && bytes + more > most_text_bytes_) return {i, bytes};
      bytes += more;
    }
    return {places.size(), bytes};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Copied(std::span<const Place> places,
                                                      int64_t bytes) const {
    const auto rows = static_cast<int64_t>(places.size());
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> ends,
                           arrow::AllocateBuffer((rows + 1) * sizeof(Offset), pool_));
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> text,
                           arrow::AllocateBuffer(bytes, pool_));
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> valid,
                           arrow::AllocateEmptyBitmap(rows, pool_));
    auto* end = reinterpret_cast<Offset*>(ends->mutable_data());
    Offset at = 0;
    int64_t nulls = 0;
    *end = 0;
    for (size_t i = 0; i < places.size(); ++i) {
      const Texts& texts = *texts_[places[i].piece];
      const int32_t index = places[i].index;
      if (texts.IsValid(index)) {
        const std::string_view value = texts.GetView(index);
        std::memcpy(text->mutable_data() + at, value.data(), value.size());
        at += static_cast<Offset>(value.size());
        arrow::bit_util::SetBit(valid->mutable_data(), static_cast<int64_t>(i));
      } else {
        ++nulls;
      }
      *++end = at;
    }
    return arrow::MakeArray(arrow::ArrayData::Make(
        type_, rows, {nulls == 0 ? nullptr : valid, std::move(ends), std::move(text)}, nulls));
  }

  const int64_t most_text_bytes_;
  std::vector<const Texts*> texts_;  // `taken_`
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
      break;
  }
  if (arrow::is_binary_like(type->id()))
    return std::make_unique<TextColumn<arrow::BinaryArray>>(type, rows, pool, most_text_bytes);
  if (arrow::is_large_binary_like(type->id()))
    return std::make_unique<TextColumn<arrow::LargeBinaryArray>>(type, rows, pool, most_text_bytes);
  return std::make_unique<AnyColumn>(type, rows, pool);
}

}  // namespace viand::engine
