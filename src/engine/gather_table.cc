#include "src/engine/gather_table.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_generate.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "src/common/cancellation.h"
#include "src/common/pool_vector.h"
#include "src/engine/plain_array.h"
#include "src/engine/scan_schema.h"

namespace viand::engine {
namespace {

/// Values that are asked for ahead of the one that is taken.
constexpr size_t kAsked = 32;

/// Which chunk of a column each row that is wanted is in.
class ChunksOfRows {
 public:
  /// `rows`: of the table, -1 for none.
  ChunksOfRows(const arrow::ChunkedArray& column, const PoolVector<int64_t>& rows) {
    for (const auto& chunk : column.chunks()) starts_.push_back(starts_.back() + chunk->length());
    if (column.num_chunks() < 2) return;
    const PoolVector<int32_t> of_block = Blocks();
    of_row_.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const int64_t row = std::max<int64_t>(rows[i], 0);
      int32_t chunk = of_block[row >> block_bits_];
      while (starts_[chunk + 1] <= row) ++chunk;
      of_row_[i] = chunk;
    }
  }

  bool IsOf(const arrow::ChunkedArray& column) const {
    bool same = column.num_chunks() + 1 == static_cast<int>(starts_.size());
    for (int chunk = 0; same && chunk < column.num_chunks(); ++chunk)
      same = column.chunk(chunk)->length() == starts_[chunk + 1] - starts_[chunk];
    return same;
  }
  /// The table's row that is first in a chunk.
  int64_t StartOf(int chunk) const { return starts_[chunk]; }
  int32_t Of(size_t i) const { return of_row_.empty() ? 0 : of_row_[i]; }

 private:
  /// The chunk of the first row of every block: that of a row is at most a few further.
  PoolVector<int32_t> Blocks() {
    const int64_t rows = starts_.back();
    const auto chunks = static_cast<int64_t>(starts_.size()) - 1;
    while (block_bits_ < 40 && rows >> block_bits_ > 8 * chunks) ++block_bits_;
    PoolVector<int32_t> of_block;
    int32_t chunk = 0;
    for (int64_t first = 0; first <= rows; first += int64_t{1} << block_bits_) {
      while (chunk + 1 < chunks && starts_[chunk + 1] <= first) ++chunk;
      of_block.push_back(chunk);
    }
    return of_block;
  }

  std::vector<int64_t> starts_ = {0};  // of each chunk, and the end
  int block_bits_ = 8;
  PoolVector<int32_t> of_row_;  // empty: all of the one chunk
};

class TableGather {
 public:
  TableGather(const GatherFragment& gather, const Tables& inputs, arrow::MemoryPool* pool)
      : gather_(gather), inputs_(inputs), pool_(pool) {}

  arrow::Result<Tables> Run() {
    if (inputs_.empty())
      return MakeError(ErrorKind::kInput, "a gather fragment without files takes a table");
    VIAND_RETURN_NOT_OK(ReadFound());
    arrow::ArrayVector columns;
    for (int i = 0; i < gather_.columns->num_fields(); ++i) {
      VIAND_RETURN_NOT_OK(CheckCancelled());
      VIAND_ASSIGN_OR_RETURN(columns.emplace_back(), Column(i));
    }
    arrow::FieldVector fields = {arrow::field("row", arrow::int64(), false)};
    VIAND_ASSIGN_OR_RETURN(auto numbers, RowNumbers());
    arrow::ArrayVector outputs = {std::move(numbers)};
    for (int output : gather_.outputs) {
      fields.push_back(gather_.columns->field(output));
      outputs.push_back(columns[output]);
    }
    return DealByRow(arrow::Table::Make(arrow::schema(std::move(fields)), outputs, gather_.rows),
                     gather_.chunks);
  }

 private:
  arrow::Status ReadFound() {
    rows_.assign(gather_.rows, -1);
    for (size_t i = 1; i < inputs_.size(); ++i) {
      if (!inputs_[i]->schema()->Equals(*FoundInTableSchema(), false))
        return MakeError(ErrorKind::kInput, "a fragment's inputs do not fit it");
      arrow::TableBatchReader reader(*inputs_[i]);
      std::shared_ptr<arrow::RecordBatch> batch;
      while (true) {
        VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
        if (batch == nullptr) break;
        VIAND_RETURN_NOT_OK(ReadFound(*batch));
      }
    }
    missing_ = std::count(rows_.begin(), rows_.end(), -1);
    return arrow::Status::OK();
  }

  /// What comes from an executor need not be trusted.
  arrow::Status ReadFound(const arrow::RecordBatch& found) {
    const auto* spine_rows = found.column(0)->data()->GetValues<int64_t>(1);
    const auto* table_rows = found.column(1)->data()->GetValues<int64_t>(1);
    for (int64_t i = 0; i < found.num_rows(); ++i) {
      const int64_t at = spine_rows[i] - gather_.first_row;
      if (at < 0 || at >= gather_.rows || rows_[at] != -1 || table_rows[i] < 0 ||
          table_rows[i] >= inputs_[0]->num_rows())
        return MakeError(ErrorKind::kInput, "an executor made up rows of a source");
      rows_[at] = table_rows[i];
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::Array>> RowNumbers() const {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                           arrow::AllocateBuffer(gather_.rows * sizeof(int64_t), pool_));
    auto* numbers = reinterpret_cast<int64_t*>(buffer->mutable_data());
    std::iota(numbers, numbers + gather_.rows, gather_.first_row);
    return std::make_shared<arrow::Int64Array>(gather_.rows, std::move(buffer));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Column(int index) {
    const auto& field = gather_.columns->field(index);
    const arrow::Table& table = *inputs_[0];
    const int position = table.schema()->GetFieldIndex(gather_.file_columns[index]);
    if (position < 0)
      return MissingColumn(gather_.file_columns[index], *table.schema(), "", gather_.described_as);
    const arrow::ChunkedArray& column = *table.column(position);
    const auto& type = field->type();
    VIAND_RETURN_NOT_OK(CheckType(field->name(), column.type(), type, "", gather_.described_as));
    if (missing_ == gather_.rows) return arrow::MakeArrayOfNull(type, gather_.rows, pool_);
    if (chunks_ == nullptr || !chunks_->IsOf(column))
      chunks_ = std::make_unique<ChunksOfRows>(column, rows_);
    const bool fixed = (arrow::is_primitive(type->id()) || arrow::is_decimal(type->id())) &&
                       type->id() != arrow::Type::BOOL && column.type()->Equals(*type);
    switch (fixed ? type->byte_width() : 0) {
      case 1:
        return Fixed<uint8_t>(column);
      case 2:
        return Fixed<uint16_t>(column);
      case 4:
        return Fixed<uint32_t>(column);
      case 8:
        return Fixed<uint64_t>(column);
      case 16:
        return Fixed<std::array<uint64_t, 2>>(column);
      default:
        return Any(column, *field);
    }
  }

  /// Values of a fixed number of bytes. A null's value is zero, so that equal results have equal
  /// bytes.
  template <typename Value>
  arrow::Result<std::shared_ptr<arrow::Array>> Fixed(const arrow::ChunkedArray& column) {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                           arrow::AllocateBuffer(gather_.rows * sizeof(Value), pool_));
    auto* out = reinterpret_cast<Value*>(buffer->mutable_data());
    std::vector<const Value*> values;  // of each chunk, so that the table's rows are indices
    for (int chunk = 0; chunk < column.num_chunks(); ++chunk) {
      values.push_back(column.chunk(chunk)->data()->GetValues<Value>(1) - chunks_->StartOf(chunk));
    }
    const auto rows = static_cast<size_t>(gather_.rows);
    const auto value_at = [&](size_t i) {
      return values[chunks_->Of(i)] + std::max<int64_t>(rows_[i], chunks_->StartOf(chunks_->Of(i)));
    };
    for (size_t i = 0; i < rows; ++i) {
      // Each lies somewhere else in memory.
      if (i + kAsked < rows) __builtin_prefetch(value_at(i + kAsked));
      out[i] = rows_[i] < 0 ? Value{} : *value_at(i);
    }
    if (column.null_count() == 0) {
      VIAND_ASSIGN_OR_RETURN(auto validity, Found());
      return arrow::MakeArray(arrow::ArrayData::Make(
          column.type(), gather_.rows, {std::move(validity), std::move(buffer)}, missing_));
    }
    return WithNulls(column, std::move(buffer), out);
  }

  /// Which rows were found, as bits, the same for all columns without nulls; null where all were.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Found() {
    if (missing_ == 0 || found_ != nullptr) return found_;
    VIAND_ASSIGN_OR_RETURN(found_, arrow::AllocateEmptyBitmap(gather_.rows, pool_));
    size_t next = 0;
    arrow::internal::GenerateBitsUnrolled(found_->mutable_data(), 0, gather_.rows,
                                          [&] { return rows_[next++] >= 0; });
    return found_;
  }

  template <typename Value>
  arrow::Result<std::shared_ptr<arrow::Array>> WithNulls(const arrow::ChunkedArray& column,
                                                         std::shared_ptr<arrow::Buffer> buffer,
                                                         Value* out) const {
    VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity,
                           arrow::AllocateEmptyBitmap(gather_.rows, pool_));
    int64_t nulls = 0;
    size_t next = 0;
    arrow::internal::GenerateBitsUnrolled(validity->mutable_data(), 0, gather_.rows, [&] {
      const size_t i = next++;
      const int32_t chunk = chunks_->Of(i);
      const bool valid =
          rows_[i] >= 0 && column.chunk(chunk)->IsValid(rows_[i] - chunks_->StartOf(chunk));
      if (!valid) out[i] = Value{};
      nulls += valid ? 0 : 1;
      return valid;
    });
    if (nulls == 0) validity = nullptr;
    return arrow::MakeArray(arrow::ArrayData::Make(
        column.type(), gather_.rows, {std::move(validity), std::move(buffer)}, nulls));
  }

  /// Values that differ in length, or are of a type that becomes the plan's: taken out of each
  /// chunk, then put in order.
  arrow::Result<std::shared_ptr<arrow::Array>> Any(const arrow::ChunkedArray& column,
                                                   const arrow::Field& field) const {
    std::vector<std::vector<int64_t>> of_chunk(column.num_chunks());
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] < 0) continue;
      const int32_t chunk = chunks_->Of(i);
      of_chunk[chunk].push_back(rows_[i] - chunks_->StartOf(chunk));
    }
    std::vector<int64_t> next;  // of each chunk: the place of its next value among all
    int64_t taken_rows = 0;
    arrow::ArrayVector taken;
    for (int chunk = 0; chunk < column.num_chunks(); ++chunk) {
      next.push_back(taken_rows);
      if (of_chunk[chunk].empty()) continue;
      const auto count = static_cast<int64_t>(of_chunk[chunk].size());
      taken_rows += count;
      const arrow::Int64Array places(count, arrow::Buffer::FromVector(std::move(of_chunk[chunk])));
      VIAND_ASSIGN_OR_RETURN(const auto some, Take(*column.chunk(chunk), places));
      auto plain = ToPlain(some, field.type(), pool_);
      if (!plain.ok()) {
        return WithContext(plain.status(),
                           fmt::format("{}, column \"{}\": ", gather_.described_as, field.name()));
      }
      taken.push_back(*std::move(plain));
    }
    arrow::Int64Builder order(pool_);
    VIAND_RETURN_NOT_OK(order.Reserve(gather_.rows));
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] < 0)
        order.UnsafeAppendNull();
      else
        order.UnsafeAppend(next[chunks_->Of(i)]++);
    }
    VIAND_ASSIGN_OR_RETURN(const auto places, order.Finish());
    VIAND_ASSIGN_OR_RETURN(const auto all,
                           taken.size() == 1 ? taken[0] : arrow::Concatenate(taken, pool_));
    return Take(*all, *places);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Take(const arrow::Array& values,
                                                    const arrow::Array& places) const {
    arrow::compute::ExecContext context(pool_);
    context.set_use_threads(false);
    return arrow::compute::Take(values, places, arrow::compute::TakeOptions::NoBoundsCheck(),
                                &context);
  }

  const GatherFragment& gather_;
  const Tables& inputs_;
  arrow::MemoryPool* const pool_;
  PoolVector<int64_t> rows_;              // of the table, for each of the spine's; -1: none
  int64_t missing_ = 0;                   // how many have none
  std::shared_ptr<arrow::Buffer> found_;  // Found(), once it is known
  std::unique_ptr<ChunksOfRows> chunks_;  // as the last column is cut
};

}  // namespace

std::shared_ptr<arrow::Schema> FoundInTableSchema() {
  return arrow::schema({arrow::field("row", arrow::int64(), false),
                        arrow::field("table_row", arrow::int64(), false)});
}

arrow::Result<Tables> GatherFromTable(const GatherFragment& gather, const Tables& inputs,
                                      const FragmentContext& context) {
  return TableGather(gather, inputs, context.pool).Run();
}

}  // namespace viand::engine
