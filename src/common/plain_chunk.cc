#include "src/common/plain_chunk.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/bitmap_reader.h>
#include <arrow/util/compression.h>
#include <parquet/exception.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "src/common/block_pool.h"

namespace viand {
namespace {

using parquet::Compression;
using parquet::Encoding;
using Pieces = std::vector<std::shared_ptr<arrow::Array>>;

/// Snappy is asked about so much of the longest page.
constexpr int64_t kSampleBytes = 32 << 10;
/// What is longer when compressed is left as it is: it costs every reader time.
constexpr double kWorthCompressing = 0.9;

/// Some rows of one piece.
struct Rows {
  const arrow::Array* piece;
  int64_t first;
  int64_t count;
};

/// Cuts pieces into pages.
class PageCutter {
 public:
  explicit PageCutter(const Pieces& pieces) : pieces_(pieces) {}

  /// The next rows, at most so many; empty at the end.
  std::vector<Rows> Next(int64_t most) {
    std::vector<Rows> page;
    while (most > 0 && piece_ < pieces_.size()) {
      const arrow::Array& piece = *pieces_[piece_];
      const int64_t count = std::min(most, piece.length() - row_);
      if (count > 0) page.push_back({&piece, row_, count});
      most -= count;
      row_ += count;
      if (row_ == piece.length()) {
        ++piece_;
        row_ = 0;
      }
    }
    return page;
  }

 private:
  const Pieces& pieces_;
  size_t piece_ = 0;
  int64_t row_ = 0;
};

/// The validity bits of a page's rows, from bit 0 on.
class PageBits {
 public:
  PageBits(const std::vector<Rows>& page, int64_t rows)
      : bits_(arrow::bit_util::BytesForBits(rows)) {
    int64_t next = 0;
    for (const Rows& some : page) {
      if (some.piece->null_count() == 0) {
        arrow::bit_util::SetBitsTo(bits_.data(), next, some.count, true);
      } else {
        arrow::internal::CopyBitmap(some.piece->null_bitmap_data(),
                                    some.piece->offset() + some.first, some.count, bits_.data(),
                                    next);
      }
      next += some.count;
    }
    valid_ = arrow::internal::CountSetBits(bits_.data(), 0, rows);
  }

  int64_t valid() const { return valid_; }
  const std::vector<uint8_t>& bytes() const { return bits_; }

 private:
  std::vector<uint8_t> bits_;
  int64_t valid_;
};

/// Definition levels of 0 and 1 in Parquet's RLE: one run, and in front of it its length.
std::vector<uint8_t> LevelsOf(const PageBits& bits, int64_t rows) {
  std::vector<uint8_t> levels(sizeof(uint32_t));
  const bool alike = bits.valid() == rows || bits.valid() == 0;
  // How many levels that are alike, or how many groups of eight bits.
  uint64_t run = alike ? static_cast<uint64_t>(rows) << 1 : bits.bytes().size() << 1 | 1;
  for (; run >= 0x80; run >>= 7) levels.push_back(static_cast<uint8_t>(run | 0x80));
  levels.push_back(static_cast<uint8_t>(run));
  if (alike)
    levels.push_back(bits.valid() == 0 ? 0 : 1);
  else
    levels.insert(levels.end(), bits.bytes().begin(), bits.bytes().end());
  const auto length =
      arrow::bit_util::ToLittleEndian(static_cast<uint32_t>(levels.size() - sizeof(uint32_t)));
  std::memcpy(levels.data(), &length, sizeof length);
  return levels;
}

/// Copies the values whose bits are set; `out` has room for one more.
template <typename T>
T* PutValid(const T* values, const uint8_t* bits, int64_t first_bit, int64_t count, T* out) {
  arrow::internal::BitmapUInt64Reader words(bits, first_bit, count);
  for (int64_t row = 0; row < count; row += 64) {
    const int64_t here = std::min<int64_t>(64, count - row);
    const uint64_t word = words.NextWord();
    if (std::popcount(word) == here) {
      std::memcpy(out, values + row, here * sizeof(T));
      out += here;
      continue;
    }
    if (word == 0) continue;
    for (int64_t i = 0; i < here; ++i) {
      *out = values[row + i];
      out += (word >> i) & 1;
    }
  }
  return out;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> Compressed(const arrow::Buffer& bytes,
                                                         arrow::util::Codec* codec) {
  const int64_t most = codec->MaxCompressedLen(bytes.size(), bytes.data());
  VIAND_ASSIGN_OR_RETURN(auto buffer, arrow::AllocateResizableBuffer(most, ProcessPool()));
  VIAND_ASSIGN_OR_RETURN(const int64_t size,
                         codec->Compress(bytes.size(), bytes.data(), most, buffer->mutable_data()));
  VIAND_RETURN_NOT_OK(buffer->Resize(size));
  return buffer;
}

template <typename T>
void PutValues(const std::vector<Rows>& page, const PageBits& bits, T* out) {
  int64_t next = 0;
  for (const Rows& some : page) {
    const T* values = some.piece->data()->GetValues<T>(1) + some.first;
    if (some.piece->null_count() == 0) {
      std::memcpy(out, values, some.count * sizeof(T));
      out += some.count;
    } else {
      out = PutValid(values, bits.bytes().data(), next, some.count, out);
    }
    next += some.count;
  }
}

parquet::EncodedStatistics Encoded(const parquet::ColumnDescriptor& column,
                                   parquet::Statistics* statistics) {
  parquet::EncodedStatistics encoded = statistics->Encode();
  encoded.set_is_signed(column.sort_order() == parquet::SortOrder::SIGNED);
  return encoded;
}

/// How often each definition level is there.
parquet::SizeStatistics LevelCounts(const parquet::ColumnDescriptor& column, int64_t rows,
                                    int64_t valid) {
  parquet::SizeStatistics counts;
  if (column.max_definition_level() == 1) counts.definition_level_histogram = {rows - valid, valid};
  return counts;
}

parquet::LogicalType::TimeUnit::unit StoredUnit(arrow::TimeUnit::type unit) {
  using Stored = parquet::LogicalType::TimeUnit;
  switch (unit) {
    case arrow::TimeUnit::MILLI:
      return Stored::MILLIS;
    case arrow::TimeUnit::MICRO:
      return Stored::MICROS;
    case arrow::TimeUnit::NANO:
      return Stored::NANOS;
    default:
      return Stored::UNKNOWN;  // Parquet has no seconds
  }
}

/// Whether instants are stored in their own unit.
bool KeepsUnit(const arrow::TimestampType& type, const parquet::ColumnDescriptor& column) {
  const auto& stored = column.logical_type();
  return column.physical_type() == parquet::Type::INT64 && stored != nullptr &&
         stored->is_timestamp() &&
         static_cast<const parquet::TimestampLogicalType&>(*stored).time_unit() ==
             StoredUnit(type.unit());
}

}  // namespace

bool IsPlain(const arrow::DataType& type, const parquet::ColumnDescriptor& column) {
  if (column.max_repetition_level() > 0 || column.max_definition_level() > 1) return false;
  switch (type.id()) {
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
    case arrow::Type::DATE32:
      return column.physical_type() == parquet::Type::INT32;
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
      return column.physical_type() == parquet::Type::INT64;
    case arrow::Type::FLOAT:
      return column.physical_type() == parquet::Type::FLOAT;
    case arrow::Type::DOUBLE:
      return column.physical_type() == parquet::Type::DOUBLE;
    case arrow::Type::TIMESTAMP:
      return KeepsUnit(static_cast<const arrow::TimestampType&>(type), column);
    default:
      return false;
  }
}

arrow::Status PlainChunk::Encode(const Pieces& pieces, const std::string& name) {
  switch (column_->physical_type()) {
    case parquet::Type::INT32:
      return EncodePages<parquet::Int32Type>(pieces, name);
    case parquet::Type::INT64:
      return EncodePages<parquet::Int64Type>(pieces, name);
    case parquet::Type::FLOAT:
      return EncodePages<parquet::FloatType>(pieces, name);
    default:
      return EncodePages<parquet::DoubleType>(pieces, name);
  }
}

template <typename Type>
arrow::Status PlainChunk::EncodePages(const Pieces& pieces, const std::string& name) {
  using T = typename Type::c_type;
  const bool optional = column_->max_definition_level() == 1;
  const auto of_chunk = parquet::MakeStatistics<Type>(column_, ProcessPool());
  int64_t all_rows = 0, all_valid = 0;
  PageCutter cutter(pieces);
  for (auto page = cutter.Next(kPageRows); !page.empty(); page = cutter.Next(kPageRows)) {
    int64_t rows = 0;
    for (const Rows& some : page) rows += some.count;
    const PageBits bits(page, rows);
    const int64_t valid = bits.valid();
    if (!optional && valid < rows)
      return arrow::Status::Invalid("column '", name, "' is declared not null and contains nulls");
    const auto levels = optional ? LevelsOf(bits, rows) : std::vector<uint8_t>();
    // The values lie aligned, the levels right before them.
    const int64_t values_at = arrow::bit_util::RoundUpToMultipleOf64(std::ssize(levels));
    const int64_t bytes = valid * static_cast<int64_t>(sizeof(T));
    VIAND_ASSIGN_OR_RETURN(
        std::shared_ptr<arrow::Buffer> buffer,
        arrow::AllocateBuffer(values_at + bytes + static_cast<int64_t>(sizeof(T)), ProcessPool()));
    auto* values = reinterpret_cast<T*>(buffer->mutable_data() + values_at);
    PutValues(page, bits, values);
    const int64_t begin = values_at - std::ssize(levels);
    std::copy(levels.begin(), levels.end(), buffer->mutable_data() + begin);

    const auto of_page = parquet::MakeStatistics<Type>(column_, ProcessPool());
    of_page->Update(values, valid, rows - valid);
    of_chunk->Merge(*of_page);
    pages_.emplace_back(arrow::SliceBuffer(buffer, begin, std::ssize(levels) + bytes),
                        static_cast<int32_t>(rows), Encoding::PLAIN, Encoding::RLE, Encoding::RLE,
                        std::ssize(levels) + bytes, Encoded(*column_, of_page.get()), all_rows,
                        LevelCounts(*column_, rows, valid));
    all_rows += rows;
    all_valid += valid;
  }
  statistics_ = Encoded(*column_, of_chunk.get());
  level_counts_ = LevelCounts(*column_, all_rows, all_valid);
  return Compress();
}

arrow::Status PlainChunk::Compress() {
  const auto longest =
      std::max_element(pages_.begin(), pages_.end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
  if (longest == pages_.end()) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto codec, arrow::util::Codec::Create(Compression::SNAPPY));
  VIAND_ASSIGN_OR_RETURN(
      const auto sample,
      Compressed(*arrow::SliceBuffer(longest->buffer(), 0,
                                     std::min<int64_t>(longest->size(), kSampleBytes)),
                 codec.get()));
  if (sample->size() > kWorthCompressing * std::min<int64_t>(longest->size(), kSampleBytes))
    return arrow::Status::OK();
  codec_ = Compression::SNAPPY;
  for (parquet::DataPageV1& page : pages_) {
    VIAND_ASSIGN_OR_RETURN(const auto bytes, Compressed(*page.buffer(), codec.get()));
    page = parquet::DataPageV1(bytes, page.num_values(), page.encoding(),
                               page.definition_level_encoding(), page.repetition_level_encoding(),
                               page.uncompressed_size(), page.statistics(), page.first_row_index(),
                               page.size_statistics());
  }
  return arrow::Status::OK();
}

int64_t PlainChunk::WriteTo(parquet::PageWriter* pager,
                            parquet::ColumnChunkMetaDataBuilder* metadata) const {
  int64_t bytes = 0;
  for (const parquet::DataPageV1& page : pages_) bytes += pager->WriteDataPage(page);
  metadata->SetStatistics(statistics_);
  if (level_counts_.is_set()) metadata->SetSizeStatistics(level_counts_);
  pager->Close(/*has_dictionary=*/false, /*fallback=*/false);
  return bytes;
}

}  // namespace viand
