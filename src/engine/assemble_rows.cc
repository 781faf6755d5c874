#include "src/engine/assemble_rows.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_reader.h>
#include <arrow/util/parallel.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <numeric>
#include <utility>

#include "src/common/block_pool.h"
#include "src/common/pool_vector.h"
#include "src/common/row_groups.h"
#include "src/engine/plain_array.h"
#include "src/engine/row_chunks.h"

namespace viand::engine {
namespace {

/// Values of 8 bytes of so many rows stay in a core's cache while all parts write theirs.
constexpr int64_t kRowsPerBlock = 16 * 1024;

/// Of features at a time: texts are there three times while they are put in order.
constexpr int64_t kAssembledTextBytes = 16 << 20;

/// One column of one part, with the places of its values among the result's rows.
struct Piece {
  const int32_t* places;
  std::shared_ptr<arrow::Array> values;
};
using Pieces = std::vector<Piece>;

/// The bits that columns have, which several may share; null: all values are there.
struct Validity {
  std::shared_ptr<arrow::Buffer> bits;
  int64_t nulls = 0;
};

/// What the validity of a column is made of: the bits of each piece, and where they begin.
std::vector<std::pair<const uint8_t*, int64_t>> SourceOf(const Pieces& pieces) {
  std::vector<std::pair<const uint8_t*, int64_t>> source;
  for (const Piece& piece : pieces) {
    const bool whole = piece.values->null_count() == 0;
    source.emplace_back(whole ? nullptr : piece.values->null_bitmap_data(),
                        whole ? 0 : piece.values->offset());
  }
  return source;
}

/// All bits, or none.
template <typename T>
void KeepIf(uint64_t bit, T* value) {
  *value &= static_cast<T>(-static_cast<T>(bit));
}
void KeepIf(uint64_t bit, std::array<uint64_t, 2>* value) {
  for (uint64_t& word : *value) KeepIf(bit, &word);
}

/// Sets values that are null to zero: what is there must not depend on how the rows were dealt.
/// Without a branch a value, for which are null is as good as random.
template <typename T>
void ClearNulls(const arrow::Buffer& bits, int64_t first, int64_t end, T* values) {
  arrow::internal::BitmapUInt64Reader words(bits.data(), first, end - first);
  for (int64_t row = first; row < end; row += 64) {
    const int64_t here = std::min<int64_t>(64, end - row);
    const uint64_t word = words.NextWord();
    if (std::popcount(word) == here) continue;
    for (int64_t i = 0; i < here; ++i) KeepIf(word >> i & 1, values + row + i);
  }
}

class Assembly {
 public:
  Assembly(Tables parts, const arrow::Schema& columns, int64_t rows, const AssembleOptions& options)
      : parts_(std::move(parts)),
        columns_(columns),
        rows_(rows),
        options_(options),
        pool_(options.pool != nullptr ? options.pool : ProcessPool()) {}

  arrow::Result<arrow::ArrayVector> Run() {
    VIAND_RETURN_NOT_OK(ReadRowNumbers());
    if (!identity_) CutIntoBlocks();
    pieces_.resize(columns_.num_fields());
    arrow::ArrayVector result(columns_.num_fields());
    VIAND_RETURN_NOT_OK(ForEachOf(pieces_.size(), [&](int column) { return Collect(column); }));
    VIAND_RETURN_NOT_OK(ShareValidity());
    VIAND_RETURN_NOT_OK(ForEachOf(pieces_.size(), [&](int column) -> arrow::Status {
      VIAND_ASSIGN_OR_RETURN(result[column], InOrder(columns_.field(column)->type(), column));
      return arrow::Status::OK();
    }));
    return result;
  }

 private:
  template <typename Task>
  arrow::Status ForEachOf(size_t count, Task&& task) const {
    return arrow::internal::OptionalParallelFor(options_.in_parallel && count > 1,
                                                static_cast<int>(count), task);
  }

  /// Checks that no number comes twice: what comes from an executor need not be trusted.
  arrow::Status ReadRowNumbers() {
    VIAND_ASSIGN_OR_RETURN(present_, arrow::AllocateEmptyBitmap(rows_, pool_));
    uint8_t* present = present_->mutable_data();
    for (const auto& part : parts_) {
      if (part->num_columns() != columns_.num_fields() + 1) return RowsLostOrRepeated();
      VIAND_ASSIGN_OR_RETURN(auto numbers, Whole(*part->column(0)));
      if (numbers->type_id() != arrow::Type::INT64 || numbers->null_count() > 0)
        return RowsLostOrRepeated();
      const int64_t* values = numbers->data()->GetValues<int64_t>(1);
      PoolVector<int32_t>& places = places_.emplace_back();
      if (identity_ && FollowOneAnother(values, numbers->length())) {
        arrow::bit_util::SetBitsTo(present, found_, numbers->length(), true);
        found_ += numbers->length();
        continue;
      }
      if (identity_) PlaceInTurn();
      places.resize(numbers->length());
      for (int64_t i = 0; i < numbers->length(); ++i) {
        const int64_t row = values[i] - options_.first_row;
        if (row < 0 || row >= rows_ || arrow::bit_util::GetBit(present, row))
          return RowsLostOrRepeated();
        arrow::bit_util::SetBit(present, row);
        ascending_ &= i == 0 || values[i - 1] < values[i];
        places[i] = static_cast<int32_t>(row);
      }
      found_ += numbers->length();
    }
    if (identity_ && (found_ < rows_ || parts_.empty())) PlaceInTurn();
    return found_ == rows_ || options_.missing == MissingRows::kNull ? arrow::Status::OK()
                                                                     : RowsLostOrRepeated();
  }

  /// Parts that followed one another do not make up the result alone.
  void PlaceInTurn() {
    identity_ = false;
    int32_t next = 0;
    for (size_t part = 0; part < places_.size() && next < found_; ++part) {
      places_[part].resize(parts_[part]->num_rows());
      std::iota(places_[part].begin(), places_[part].end(), next);
      next += static_cast<int32_t>(parts_[part]->num_rows());
    }
  }

  /// Finds where the values of each block begin in every part, once for all columns.
  void CutIntoBlocks() {
    block_rows_ = ascending_ ? kRowsPerBlock : std::max<int64_t>(rows_, 1);
    for (int64_t first = 0; first < rows_; first += block_rows_) {
      std::vector<int64_t>& starts = block_starts_.emplace_back();
      for (const auto& places : places_)
        starts.push_back(std::lower_bound(places.begin(), places.end(), first) - places.begin());
    }
    std::vector<int64_t>& ends = block_starts_.emplace_back();
    for (const auto& places : places_) ends.push_back(std::ssize(places));
  }

  /// Whether rows are those that come next, where all before them were.
  bool FollowOneAnother(const int64_t* numbers, int64_t count) const {
    if (count > rows_ - found_) return false;
    int64_t differences = 0;
    for (int64_t i = 0; i < count; ++i)
      differences |= numbers[i] ^ (options_.first_row + found_ + i);
    return differences == 0;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Whole(const arrow::ChunkedArray& column) const {
    if (column.num_chunks() == 1) return column.chunk(0);
    if (column.num_chunks() == 0) return arrow::MakeEmptyArray(column.type(), pool_);
    return arrow::Concatenate(column.chunks(), pool_);
  }

  arrow::Status Collect(int column) {
    const auto& type = columns_.field(column)->type();
    for (size_t part = 0; part < parts_.size(); ++part) {
      VIAND_ASSIGN_OR_RETURN(auto values, Whole(*parts_[part]->column(column + 1)));
      if (!values->type()->Equals(*type)) return RowsLostOrRepeated();
      pieces_[column].push_back({places_[part].data(), std::move(values)});
    }
    return arrow::Status::OK();
  }

  /// Makes the validity of each column, once for those that share their bits in every part, as the
  /// aggregates over one window do.
  arrow::Status ShareValidity() {
    validity_of_.resize(pieces_.size());
    if (identity_ || found_ == 0) return arrow::Status::OK();
    std::map<std::vector<std::pair<const uint8_t*, int64_t>>, size_t> known;
    std::vector<const Pieces*> sources;
    for (size_t column = 0; column < pieces_.size(); ++column) {
      const auto [at, added] = known.emplace(SourceOf(pieces_[column]), sources.size());
      if (added) sources.push_back(&pieces_[column]);
      validity_of_[column] = at->second;
    }
    validity_.resize(sources.size());
    return ForEachOf(sources.size(), [&](int i) -> arrow::Status {
      VIAND_ASSIGN_OR_RETURN(validity_[i], ValidityOf(*sources[i]));
      return arrow::Status::OK();
    });
  }

  arrow::Result<Validity> ValidityOf(const Pieces& pieces) const {
    Validity validity{.nulls = rows_ - found_};
    for (const Piece& piece : pieces) validity.nulls += piece.values->null_count();
    if (validity.nulls == 0) return validity;
    VIAND_ASSIGN_OR_RETURN(validity.bits,
                           present_->CopySlice(0, arrow::bit_util::BytesForBits(rows_), pool_));
    uint8_t* bits = validity.bits->mutable_data();
    for (const Piece& piece : pieces) {
      const int64_t length = piece.values->length();
      if (piece.values->null_count() == 0) continue;
      arrow::internal::BitmapUInt64Reader words(piece.values->null_bitmap_data(),
                                                piece.values->offset(), length);
      for (int64_t first = 0; first < length; first += 64) {
        const int64_t here = std::min<int64_t>(64, length - first);
        uint64_t nulls = ~words.NextWord();
        if (here < 64) nulls &= (uint64_t{1} << here) - 1;
        for (; nulls != 0; nulls &= nulls - 1)
          arrow::bit_util::ClearBit(bits, piece.places[first + std::countr_zero(nulls)]);
      }
    }
    return validity;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> InOrder(const std::shared_ptr<arrow::DataType>& type,
                                                       int column) {
    const Pieces& pieces = pieces_[column];
    if (found_ == 0) return arrow::MakeArrayOfNull(type, rows_, pool_);
    if (identity_) return Appended(pieces);
    const bool fixed = arrow::is_primitive(type->id()) || arrow::is_decimal(type->id());
    switch (fixed && type->id() != arrow::Type::BOOL ? type->byte_width() : 0) {
      case 1:
        return Scattered<uint8_t>(type, validity_[validity_of_[column]], pieces);
      case 2:
        return Scattered<uint16_t>(type, validity_[validity_of_[column]], pieces);
      case 4:
        return Scattered<uint32_t>(type, validity_[validity_of_[column]], pieces);
      case 8:
        return Scattered<uint64_t>(type, validity_[validity_of_[column]], pieces);
      case 16:
        return Scattered<std::array<uint64_t, 2>>(type, validity_[validity_of_[column]], pieces);
      default:
        return Gathered(pieces);
    }
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Appended(const Pieces& pieces) const {
    arrow::ArrayVector arrays;
    for (const Piece& piece : pieces) arrays.push_back(piece.values);
    return arrays.size() == 1 ? arrays[0] : arrow::Concatenate(arrays, pool_);
  }

  /// Writes each value at its row number, block by block; T is of the type's width.
  template <typename T>
  arrow::Result<std::shared_ptr<arrow::Array>> Scattered(
      const std::shared_ptr<arrow::DataType>& type, const Validity& validity,
      const Pieces& pieces) const {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                           arrow::AllocateBuffer(rows_ * sizeof(T), pool_));
    auto* out = reinterpret_cast<T*>(buffer->mutable_data());
    for (size_t block = 0; block + 1 < block_starts_.size(); ++block) {
      for (size_t part = 0; part < pieces.size(); ++part) {
        const T* values = pieces[part].values->data()->template GetValues<T>(1);
        const int32_t* places = pieces[part].places;
        const int64_t end = block_starts_[block + 1][part];
        for (int64_t i = block_starts_[block][part]; i < end; ++i) out[places[i]] = values[i];
      }
      if (validity.nulls == 0) continue;
      const auto first = static_cast<int64_t>(block) * block_rows_;
      ClearNulls(*validity.bits, first, std::min(first + block_rows_, rows_), out);
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, rows_, {validity.bits, buffer}, validity.nulls));
  }

  /// For types whose values differ in length: appends, then takes by the inverse of the row
  /// numbers.
  arrow::Result<std::shared_ptr<arrow::Array>> Gathered(const Pieces& pieces) const {
    std::vector<int64_t> position(rows_);
    int64_t next = 0;
    for (const Piece& piece : pieces) {
      for (int64_t i = 0; i < piece.values->length(); ++i) position[piece.places[i]] = next++;
    }
    const auto present = found_ == rows_ ? nullptr : present_;
    const arrow::Int64Array indices(rows_, arrow::Buffer::FromVector(std::move(position)), present,
                                    rows_ - found_);
    VIAND_ASSIGN_OR_RETURN(auto appended, Appended(pieces));
    arrow::compute::ExecContext context(pool_);
    context.set_use_threads(false);
    return arrow::compute::Take(*appended, indices, arrow::compute::TakeOptions::NoBoundsCheck(),
                                &context);
  }

  const Tables parts_;
  const arrow::Schema& columns_;
  const int64_t rows_;
  const AssembleOptions& options_;
  arrow::MemoryPool* const pool_;
  std::vector<PoolVector<int32_t>> places_;  // of each part's rows; none where identity_ holds
  int64_t block_rows_ = 0;
  std::vector<std::vector<int64_t>> block_starts_;  // of each block in each part, and the ends
  std::vector<Pieces> pieces_;                      // of each column
  std::vector<Validity> validity_;
  std::vector<size_t> validity_of_;  // each column's, in validity_; not where identity_ holds
  std::shared_ptr<arrow::Buffer> present_;  // bits: rows that a part has
  int64_t found_ = 0;                       // how many these are
  bool ascending_ = true;                   // the row numbers within each part
  bool identity_ = true;                    // the parts follow one another in order of row number
};

/// Each chunk of the parts as one: their columns need not be joined then.
arrow::Result<Tables> InChunks(const Tables& parts) {
  Tables chunks;
  for (const auto& part : parts) {
    if (part->num_columns() == 0 || part->column(0)->num_chunks() <= 1) {
      chunks.push_back(part);
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(const auto batches, arrow::TableBatchReader(*part).ToRecordBatches());
    for (const auto& batch : batches) {
      VIAND_ASSIGN_OR_RETURN(chunks.emplace_back(), arrow::Table::FromRecordBatches({batch}));
    }
  }
  return chunks;
}

}  // namespace

arrow::Status RowsLostOrRepeated() {
  return MakeError(ErrorKind::kInput, "an executor lost or repeated rows of the spine");
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> AssembleRows(
    const Tables& parts, const arrow::Schema& columns, int64_t rows,
    const AssembleOptions& options) {
  VIAND_ASSIGN_OR_RETURN(Tables whole, InChunks(parts));
  return Assembly(std::move(whole), columns, rows, options).Run();
}

int64_t RowsOfLength(const std::vector<Tables>& pieces, int64_t rows, int64_t most) {
  int64_t bytes = 0;
  for (const Tables& of_lookup : pieces) {
    for (const auto& piece : of_lookup) bytes += BytesOfRows(*piece);
  }
  const int64_t row_bytes = bytes / std::max<int64_t>(1, rows) + 1;
  return std::clamp<int64_t>(kAssembledTextBytes / row_bytes, 1, most);
}

int64_t RowsOf(const Tables& tables) {
  int64_t rows = 0;
  for (const auto& table : tables) rows += table->num_rows();
  return rows;
}

arrow::Result<Tables> AppendFound(const Tables& pieces, const arrow::Schema& columns,
                                  const arrow::FieldVector& fields, const AssembleOptions& options,
                                  std::shared_ptr<arrow::Table>* rows) {
  const int64_t count = (*rows)->num_rows();
  Tables parts;
  for (const auto& piece : pieces) {
    auto part = RowsBetween(piece, options.first_row, options.first_row + count);
    if (part->num_rows() > 0) parts.push_back(std::move(part));
  }
  VIAND_ASSIGN_OR_RETURN(const auto arrays, AssembleRows(parts, columns, count, options));
  for (size_t i = 0; i < arrays.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(auto column, RestoreType(arrays[i], fields[i]->type()));
    VIAND_ASSIGN_OR_RETURN(
        *rows, (*rows)->AddColumn((*rows)->num_columns(), fields[i],
                                  std::make_shared<arrow::ChunkedArray>(std::move(column))));
  }
  return parts;
}

}  // namespace viand::engine
