#include "src/engine/assemble_rows.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <array>
#include <cstring>

namespace viand::engine {
namespace {

/// One column of one part, with the row numbers of its values.
struct Piece {
  const int64_t* rows;
  std::shared_ptr<arrow::Array> values;
};

class Assembly {
 public:
  Assembly(const Tables& parts, int64_t rows, arrow::MemoryPool* pool)
      : parts_(parts), rows_(rows), pool_(pool) {}

  arrow::Result<arrow::ArrayVector> Run() {
    VIAND_RETURN_NOT_OK(ReadRowNumbers());
    arrow::ArrayVector result;
    const int columns = parts_.empty() ? 0 : parts_[0]->num_columns();
    for (int column = 1; column < columns; ++column) {
      VIAND_ASSIGN_OR_RETURN(auto pieces, PiecesOf(column));
      VIAND_ASSIGN_OR_RETURN(auto whole, InOrder(pieces));
      result.push_back(std::move(whole));
    }
    return result;
  }

 private:
  /// Checks that the numbers are a permutation: what comes from an executor need not be trusted.
  arrow::Status ReadRowNumbers() {
    std::vector<uint8_t> seen(rows_, 0);
    int64_t count = 0;
    for (const auto& part : parts_) {
      VIAND_ASSIGN_OR_RETURN(auto numbers, Whole(*part->column(0)));
      if (numbers->type_id() != arrow::Type::INT64 || numbers->null_count() > 0)
        return Misnumbered();
      const int64_t* values = numbers->data()->GetValues<int64_t>(1);
      for (int64_t i = 0; i < numbers->length(); ++i) {
        if (values[i] < 0 || values[i] >= rows_ || seen[values[i]]++ != 0) return Misnumbered();
        identity_ &= values[i] == count + i;
      }
      count += numbers->length();
      numbers_.push_back(std::move(numbers));
    }
    return count == rows_ ? arrow::Status::OK() : Misnumbered();
  }

  static arrow::Status Misnumbered() {
    return MakeError(ErrorKind::kInput, "an executor lost or repeated rows of the spine");
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Whole(const arrow::ChunkedArray& column) const {
    if (column.num_chunks() == 1) return column.chunk(0);
    if (column.num_chunks() == 0) return arrow::MakeEmptyArray(column.type(), pool_);
    return arrow::Concatenate(column.chunks(), pool_);
  }

  arrow::Result<std::vector<Piece>> PiecesOf(int column) const {
    std::vector<Piece> pieces;
    for (size_t part = 0; part < parts_.size(); ++part) {
      VIAND_ASSIGN_OR_RETURN(auto values, Whole(*parts_[part]->column(column)));
      pieces.push_back({numbers_[part]->data()->GetValues<int64_t>(1), std::move(values)});
    }
    return pieces;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> InOrder(const std::vector<Piece>& pieces) const {
    if (identity_) return Appended(pieces);
    const auto type = pieces[0].values->type();
    switch (type->id() == arrow::Type::BOOL ? 0 : type->byte_width()) {
      case 1:
        return Scattered<uint8_t>(pieces);
      case 2:
        return Scattered<uint16_t>(pieces);
      case 4:
        return Scattered<uint32_t>(pieces);
      case 8:
        return Scattered<uint64_t>(pieces);
      case 16:
        return Scattered<std::array<uint64_t, 2>>(pieces);
      default:
        return Gathered(pieces);
    }
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Appended(const std::vector<Piece>& pieces) const {
    arrow::ArrayVector arrays;
    for (const Piece& piece : pieces) arrays.push_back(piece.values);
    return arrays.size() == 1 ? arrays[0] : arrow::Concatenate(arrays, pool_);
  }

  /// Writes each value at its row number; T is of the type's width.
  template <typename T>
  arrow::Result<std::shared_ptr<arrow::Array>> Scattered(const std::vector<Piece>& pieces) const {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                           arrow::AllocateBuffer(rows_ * sizeof(T), pool_));
    auto* out = reinterpret_cast<T*>(buffer->mutable_data());
    int64_t nulls = 0;
    for (const Piece& piece : pieces) {
      nulls += piece.values->null_count();
      const T* values = piece.values->data()->GetValues<T>(1);
      for (int64_t i = 0; i < piece.values->length(); ++i) out[piece.rows[i]] = values[i];
    }
    std::shared_ptr<arrow::Buffer> validity;
    if (nulls > 0) {
      VIAND_ASSIGN_OR_RETURN(validity, Validity(pieces));
      for (int64_t row = 0; row < rows_; ++row) {
        if (!arrow::bit_util::GetBit(validity->data(), row)) out[row] = T{};
      }
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(pieces[0].values->type(), rows_, {validity, buffer}, nulls));
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Validity(const std::vector<Piece>& pieces) const {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits,
                           arrow::AllocateEmptyBitmap(rows_, pool_));
    for (const Piece& piece : pieces) {
      for (int64_t i = 0; i < piece.values->length(); ++i) {
        if (piece.values->IsValid(i)) arrow::bit_util::SetBit(bits->mutable_data(), piece.rows[i]);
      }
    }
    return bits;
  }

  /// For types whose values differ in length: appends, then takes by the inverse of the row
  /// numbers.
  arrow::Result<std::shared_ptr<arrow::Array>> Gathered(const std::vector<Piece>& pieces) const {
    std::vector<int64_t> position(rows_);
    int64_t next = 0;
    for (const Piece& piece : pieces) {
      for (int64_t i = 0; i < piece.values->length(); ++i) position[piece.rows[i]] = next++;
    }
    const arrow::Int64Array indices(rows_, arrow::Buffer::FromVector(std::move(position)));
    VIAND_ASSIGN_OR_RETURN(auto appended, Appended(pieces));
    return arrow::compute::Take(*appended, indices, arrow::compute::TakeOptions::NoBoundsCheck());
  }

  const Tables& parts_;
  const int64_t rows_;
  arrow::MemoryPool* const pool_;
  arrow::ArrayVector numbers_;
  bool identity_ = true;  ///< the parts follow one another in order of row number
};

}  // namespace

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> AssembleRows(const Tables& parts,
                                                                       int64_t rows,
                                                                       arrow::MemoryPool* pool) {
  return Assembly(parts, rows, pool != nullptr ? pool : arrow::default_memory_pool()).Run();
}

}  // namespace viand::engine
