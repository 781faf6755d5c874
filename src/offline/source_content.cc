#include "src/offline/source_content.h"

#include <arrow/array.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "src/common/block_pool.h"
#include "src/common/content_identity.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/engine/column_chunk.h"
#include "src/engine/open_scan.h"
#include "src/offline/parquet_file.h"

namespace viand::offline {
namespace {

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

int64_t FloorToMicros(int64_t nanos) { return nanos / 1000 - (nanos % 1000 < 0 ? 1 : 0); }

/// Whole microseconds at or before each time, which says of every whole bound on which side of it
/// the time lies.
arrow::Result<std::shared_ptr<arrow::TimestampArray>> TimesOf(const arrow::Table& table,
                                                              const std::string& timestamp_column) {
  const auto column = table.GetColumnByName(timestamp_column);
  if (column == nullptr) {
    return MakeError(ErrorKind::kInput, fmt::format("column \"{}\" is missing", timestamp_column));
  }
  ARROW_ASSIGN_OR_RAISE(auto last, arrow::MakeEmptyArray(column->type()));
  auto chunks = column->chunks();
  chunks.push_back(std::move(last));
  ARROW_ASSIGN_OR_RAISE(auto times, arrow::Concatenate(chunks));
  const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO);
  const auto* type = times->type_id() == arrow::Type::TIMESTAMP
                         ? static_cast<const arrow::TimestampType*>(times->type().get())
                         : nullptr;
  if (type != nullptr && type->unit() == arrow::TimeUnit::NANO) {
    const auto& nanos = static_cast<const arrow::TimestampArray&>(*times);
    arrow::TimestampBuilder floored(micros, ProcessPool());
    ARROW_RETURN_NOT_OK(floored.Reserve(nanos.length()));
    for (int64_t i = 0; i < nanos.length(); ++i) {
      if (nanos.IsNull(i)) {
        floored.UnsafeAppendNull();
      } else {
        floored.UnsafeAppend(FloorToMicros(nanos.Value(i)));
      }
    }
    ARROW_ASSIGN_OR_RAISE(times, floored.Finish());
  } else {
    // Without its zone a time is the same instant, and needs no database of zones.
    if (type != nullptr) {
      ARROW_ASSIGN_OR_RAISE(times, times->View(arrow::timestamp(type->unit())));
    }
    ARROW_ASSIGN_OR_RAISE(times, arrow::compute::Cast(*times, micros));
  }
  return std::static_pointer_cast<arrow::TimestampArray>(times);
}

bool IsSorted(const arrow::TimestampArray& times, int64_t count) {
  const int64_t* values = times.raw_values();
  return std::is_sorted(values, values + count);
}

std::string HexOf(Sha256* hash) { return hash->HexDigest().substr(0, 32); }

using Range = std::pair<int64_t, int64_t>;

void Widen(int64_t low_us, int64_t high_us, std::optional<Range>* range) {
  *range = *range ? Range(std::min((*range)->first, low_us), std::max((*range)->second, high_us))
                  : Range(low_us, high_us);
}

int64_t MicrosOf(int64_t raw, parquet::LogicalType::TimeUnit::unit unit) {
  if (unit == parquet::LogicalType::TimeUnit::MILLIS) return raw * 1000;
  return unit == parquet::LogicalType::TimeUnit::NANOS ? FloorToMicros(raw) : raw;
}

/// Widens `range` by what a file's statistics say of a column; false where they do not say all.
bool WidenByStatistics(const parquet::FileMetaData& metadata, int column,
                       std::optional<Range>* range) {
  const auto& type = metadata.schema()->Column(column)->logical_type();
  if (type == nullptr || !type->is_timestamp()) return false;
  const auto unit = static_cast<const parquet::TimestampLogicalType&>(*type).time_unit();
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto statistics = engine::StatisticsOf(*metadata.RowGroup(group), column);
    if (statistics == nullptr) return false;
    const bool all_null = statistics->HasNullCount() &&
                          statistics->null_count() == metadata.RowGroup(group)->num_rows();
    if (all_null) continue;
    if (!statistics->HasMinMax()) return false;
    const auto& typed =
        static_cast<const parquet::TypedStatistics<parquet::Int64Type>&>(*statistics);
    Widen(MicrosOf(typed.min(), unit), MicrosOf(typed.max(), unit), range);
  }
  return true;
}

/// The one row of a file's constants as a table; null where the column is not among them.
arrow::Result<std::shared_ptr<arrow::Table>> ConstantTable(const engine::OpenedFile& file,
                                                           const std::string& column) {
  if (file.constants == nullptr || file.constants->GetColumnByName(column) == nullptr)
    return nullptr;
  return arrow::Table::FromRecordBatches({file.constants});
}

/// The first and last time of a file's rows, by its folders or statistics or else by reading the
/// column; nothing where no row has one.
arrow::Result<std::optional<Range>> RangeOfFile(const engine::OpenedFile& file,
                                                const std::string& timestamp_column) {
  std::optional<Range> range;
  ARROW_ASSIGN_OR_RAISE(auto table, ConstantTable(file, timestamp_column));
  const int column = file.parquet->schema()->ColumnIndex(timestamp_column);
  if (table == nullptr && column >= 0 && WidenByStatistics(*file.parquet, column, &range))
    return range;
  range.reset();
  if (table == nullptr) {
    ARROW_ASSIGN_OR_RAISE(table, ReadParquet(file.path, {timestamp_column}));
  }
  ARROW_ASSIGN_OR_RAISE(const auto times, TimesOf(*table, timestamp_column));
  for (int64_t i = 0; i < times->length(); ++i) {
    if (times->IsValid(i)) Widen(times->Value(i), times->Value(i), &range);
  }
  return range;
}

/// What a file's folders say is as much its content as what is in it.
std::string WithConstants(const std::string& identity, const arrow::RecordBatch* constants) {
  if (constants == nullptr) return identity;
  Sha256 hash;
  hash.UpdateField(identity);
  for (int i = 0; i < constants->num_columns(); ++i) {
    hash.UpdateField(constants->schema()->field(i)->ToString());
    hash.UpdateField(constants->column(i)->ToString());
  }
  return hash.HexDigest();
}

}  // namespace

int64_t SourceContent::start_us() const {
  int64_t start = pieces.empty() ? 0 : pieces.front().min_us;
  for (const TimePiece& piece : pieces) start = std::min(start, piece.min_us);
  return start;
}

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
  if (!nulls_last || !IsSorted(*times, count)) {
    Sha256 hash;
    for (const auto& column : whole->columns()) {
      ARROW_RETURN_NOT_OK(HashRows(*column->chunk(0), 0, times->length(), &hash));
    }
    std::optional<Range> range;
    for (int64_t i = 0; i < times->length(); ++i) {
      if (times->IsValid(i)) Widen(times->Value(i), times->Value(i), &range);
    }
    if (range) content.pieces.push_back({range->first, range->second, HexOf(&hash)});
    return content;
  }
  for (int64_t from = 0; from < count;) {
    int64_t to = from;
    const int64_t day = FloorDay(times->Value(from));
    while (to < count && FloorDay(times->Value(to)) == day) ++to;
    Sha256 hash;
    for (const auto& column : whole->columns()) {
      ARROW_RETURN_NOT_OK(HashRows(*column->chunk(0), from, to, &hash));
    }
    content.pieces.push_back({times->Value(from), times->Value(to - 1), HexOf(&hash)});
    from = to;
  }
  return content;
}

arrow::Result<SourceContent> ContentOfFiles(const engine::Scan& scan,
                                            const std::string& timestamp_column) {
  SourceContent content;
  ARROW_ASSIGN_OR_RAISE(const engine::OpenedScan opened, engine::OpenScan(scan));
  std::vector<const engine::OpenedFile*> files;
  std::vector<std::string> paths;
  for (const engine::OpenedFile& file : opened.files) {
    content.rows += file.parquet->num_rows();
    if (file.parquet->num_rows() == 0) continue;
    ARROW_ASSIGN_OR_RAISE(const auto range, RangeOfFile(file, timestamp_column));
    if (!range) continue;
    content.pieces.push_back({range->first, range->second, ""});
    files.push_back(&file);
    paths.push_back(file.path);
  }
  ARROW_ASSIGN_OR_RAISE(const auto identities, ContentIdentities(paths));
  for (size_t i = 0; i < files.size(); ++i)
    content.pieces[i].hash = WithConstants(identities[i], files[i]->constants.get());
  return content;
}

}  // namespace viand::offline
