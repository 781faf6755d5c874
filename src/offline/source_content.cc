#include "src/offline/source_content.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "src/common/sha256.h"
#include "src/common/time.h"

namespace viand::offline {
namespace {

constexpr int64_t kEverBefore = std::numeric_limits<int64_t>::min();
constexpr int64_t kEverAfter = std::numeric_limits<int64_t>::max();

int64_t FloorDay(int64_t time_us) {
  const int64_t day = time_us / kMicrosPerDay;
  return time_us % kMicrosPerDay < 0 ? day - 1 : day;
}

/// Adds the logical content of rows [from, to): neither chunking nor what lies under a null changes
/// it.
arrow::Status HashRows(const arrow::Array& column, int64_t from, int64_t to, Sha256* hash) {
  const auto slice = column.Slice(from, to - from);
  std::string validity(slice->length(), '\1');
  for (int64_t i = 0; i < slice->length() && slice->null_count() > 0; ++i) {
    if (slice->IsNull(i)) validity[i] = '\0';
  }
  hash->UpdateField(validity);
  if (column.type_id() == arrow::Type::STRING) {
    const auto& strings = static_cast<const arrow::StringArray&>(*slice);
    std::vector<int32_t> lengths(slice->length());
    for (int64_t i = 0; i < slice->length(); ++i) lengths[i] = strings.value_length(i);
    hash->UpdateField(
        {reinterpret_cast<const char*>(lengths.data()), lengths.size() * sizeof(int32_t)});
    const int64_t bytes = strings.value_offset(slice->length()) - strings.value_offset(0);
    hash->Update({reinterpret_cast<const char*>(strings.raw_data()) + strings.value_offset(0),
                  static_cast<size_t>(bytes)});
    return arrow::Status::OK();
  }
  const int width = column.type()->byte_width();
  if (width > 0) {
    const auto& data = *slice->data();
    hash->UpdateField({data.GetValues<char>(1, data.offset * width),
                       static_cast<size_t>(slice->length() * width)});
    return arrow::Status::OK();
  }
  for (int64_t i = 0; i < slice->length(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, slice->GetScalar(i));
    hash->UpdateField(scalar->ToString());
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::TimestampArray>> TimesOf(const arrow::Table& table,
                                                              const std::string& timestamp_column) {
  const auto column = table.GetColumnByName(timestamp_column);
  if (column == nullptr) {
    return MakeError(ErrorKind::kInput, fmt::format("column \"{}\" is missing", timestamp_column));
  }
  ARROW_ASSIGN_OR_RAISE(
      auto cast, arrow::compute::Cast(column, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  ARROW_ASSIGN_OR_RAISE(auto whole, arrow::Concatenate(cast.chunked_array()->chunks()));
  return std::static_pointer_cast<arrow::TimestampArray>(whole);
}

bool IsSorted(const arrow::TimestampArray& times, int64_t count) {
  const int64_t* values = times.raw_values();
  return std::is_sorted(values, values + count);
}

std::string HexOf(Sha256* hash) { return hash->HexDigest().substr(0, 32); }

/// The time range of one file by its statistics; nothing where a row group lacks them.
std::optional<std::pair<int64_t, int64_t>> StatisticsRange(const parquet::FileMetaData& metadata,
                                                           int column) {
  const auto& type = metadata.schema()->Column(column)->logical_type();
  if (type == nullptr || !type->is_timestamp()) return std::nullopt;
  const auto unit = static_cast<const parquet::TimestampLogicalType&>(*type).time_unit();
  std::optional<std::pair<int64_t, int64_t>> range;
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto statistics = metadata.RowGroup(group)->ColumnChunk(column)->statistics();
    if (statistics == nullptr || !statistics->HasMinMax()) return std::nullopt;
    const auto& typed =
        static_cast<const parquet::TypedStatistics<parquet::Int64Type>&>(*statistics);
    int64_t low = typed.min(), high = typed.max();
    if (unit == parquet::LogicalType::TimeUnit::MILLIS) {
      low *= 1000, high *= 1000;
    } else if (unit == parquet::LogicalType::TimeUnit::NANOS) {
      low = low / 1000 - 1, high = high / 1000 + 1;
    }
    range = range ? std::pair(std::min(range->first, low), std::max(range->second, high))
                  : std::pair(low, high);
  }
  return range;
}

}  // namespace

int64_t SourceContent::start_us() const { return pieces.empty() ? 0 : pieces.front().min_us; }

int64_t SourceContent::end_us() const {
  int64_t end = pieces.empty() ? 0 : pieces.front().max_us;
  for (const TimePiece& piece : pieces) end = std::max(end, piece.max_us);
  return end;
}

std::string SourceContent::HashOf(int64_t from_us, int64_t to_us) const {
  Sha256 hash;
  hash.UpdateField(schema);
  for (const TimePiece& piece : pieces) {
    if (piece.max_us >= from_us && piece.min_us < to_us) hash.UpdateField(piece.hash);
  }
  return HexOf(&hash);
}

arrow::Result<SourceContent> ContentOfTable(const arrow::Table& table,
                                            const std::string& timestamp_column) {
  SourceContent content;
  content.schema = table.schema()->ToString();
  content.rows = table.num_rows();
  ARROW_ASSIGN_OR_RAISE(auto whole, table.CombineChunks());
  ARROW_ASSIGN_OR_RAISE(auto times, TimesOf(*whole, timestamp_column));
  const int64_t count = times->length() - times->null_count();
  const bool nulls_last = count == times->length() || times->IsNull(times->length() - 1);
  const bool sorted = nulls_last && IsSorted(*times, count);
  for (int64_t from = 0; from < count;) {
    int64_t to = from;
    const int64_t day = FloorDay(times->Value(from));
    while (to < count && (!sorted || FloorDay(times->Value(to)) == day)) ++to;
    Sha256 hash;
    for (const auto& column : whole->columns()) {
      ARROW_RETURN_NOT_OK(HashRows(*column->chunk(0), from, to, &hash));
    }
    content.pieces.push_back(sorted
                                 ? TimePiece{times->Value(from), times->Value(to - 1), HexOf(&hash)}
                                 : TimePiece{kEverBefore, kEverAfter, HexOf(&hash)});
    from = to;
  }
  return content;
}

arrow::Result<SourceContent> ContentOfFiles(const std::vector<std::string>& files,
                                            const std::string& timestamp_column) {
  SourceContent content;
  for (const std::string& file : files) {
    ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(file));
    std::shared_ptr<parquet::FileMetaData> metadata;
    try {
      metadata = parquet::ParquetFileReader::Open(input)->metadata();
    } catch (const parquet::ParquetException& error) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{} is not a Parquet file: {}", file, error.what()));
    }
    content.rows += metadata->num_rows();
    if (metadata->num_rows() == 0) continue;
    TimePiece piece{kEverBefore, kEverAfter, ""};
    const int column = metadata->schema()->ColumnIndex(timestamp_column);
    if (const auto range = column < 0 ? std::nullopt : StatisticsRange(*metadata, column)) {
      std::tie(piece.min_us, piece.max_us) = *range;
    }
    ARROW_ASSIGN_OR_RAISE(piece.hash, Sha256OfFile(file));
    content.pieces.push_back(std::move(piece));
  }
  std::stable_sort(content.pieces.begin(), content.pieces.end(),
                   [](const TimePiece& a, const TimePiece& b) { return a.min_us < b.min_us; });
  return content;
}

}  // namespace viand::offline
