#include "src/engine/group_ranges.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>

#include "src/engine/column_chunk.h"

namespace viand::engine {
namespace {

using LogicalUnit = parquet::LogicalType::TimeUnit;

/// Tells whether numbers are stored as Arrow has them: not where a file keeps another unit.
bool StoredAsTyped(const parquet::ColumnDescriptor& column, const arrow::DataType& type) {
  if (arrow::is_signed_integer(type.id())) return true;
  const auto& logical = column.logical_type();
  if (logical == nullptr) return false;
  if (type.id() == arrow::Type::DATE32) return logical->is_date();
  if (type.id() != arrow::Type::TIMESTAMP || !logical->is_timestamp()) return false;
  const auto stored = static_cast<const parquet::TimestampLogicalType&>(*logical).time_unit();
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::MILLI:
      return stored == LogicalUnit::MILLIS;
    case arrow::TimeUnit::MICRO:
      return stored == LogicalUnit::MICROS;
    case arrow::TimeUnit::NANO:
      return stored == LogicalUnit::NANOS;
    default:
      return false;
  }
}

template <typename Physical>
bool Overlaps(const parquet::Statistics& statistics, const RawBounds& bounds) {
  const auto& typed = static_cast<const parquet::TypedStatistics<Physical>&>(statistics);
  return typed.min() <= bounds.max && typed.max() >= bounds.min;
}

}  // namespace

std::optional<RawBounds> RawBoundsOf(const TimeRange& range, const std::string& column,
                                     const arrow::DataType& type) {
  if (!range.Binds() || !IsTimeType(type)) return std::nullopt;
  const auto [min, max] = RawRange(type, range);
  return RawBounds{column, min, max};
}

std::optional<RawBounds> RawBoundsOf(const KeyBound& bound, const std::string& column,
                                     const arrow::DataType& type) {
  if (!arrow::is_signed_integer(type.id()) || bound.min == nullptr ||
      !arrow::is_signed_integer(bound.min->type->id())) {
    return std::nullopt;
  }
  const auto min = bound.min->CastTo(arrow::int64());
  const auto max = bound.max->CastTo(arrow::int64());
  if (!min.ok() || !max.ok()) return std::nullopt;
  return RawBounds{column, static_cast<const arrow::Int64Scalar&>(**min).value,
                   static_cast<const arrow::Int64Scalar&>(**max).value};
}

bool ComparesRaw(const parquet::SchemaDescriptor& stored, const arrow::Schema& in_file,
                 const std::string& column) {
  const int leaf = stored.ColumnIndex(column);
  const auto field = leaf < 0 ? nullptr : in_file.GetFieldByName(column);
  return field != nullptr && StoredAsTyped(*stored.Column(leaf), *field->type());
}

bool MayHaveRows(const parquet::RowGroupMetaData& group, const std::vector<RawBounds>& bounds,
                 const arrow::Schema& in_file) {
  return std::all_of(bounds.begin(), bounds.end(), [&](const RawBounds& one) {
    if (!ComparesRaw(*group.schema(), in_file, one.column)) return true;
    const auto statistics = StatisticsOf(group, group.schema()->ColumnIndex(one.column));
    if (statistics == nullptr) return true;
    const bool all_null =
        statistics->HasNullCount() && statistics->null_count() == group.num_rows();
    if (all_null || !statistics->HasMinMax()) return !all_null;
    switch (statistics->physical_type()) {
      case parquet::Type::INT32:
        return Overlaps<parquet::Int32Type>(*statistics, one);
      case parquet::Type::INT64:
        return Overlaps<parquet::Int64Type>(*statistics, one);
      default:
        return true;
    }
  });
}

}  // namespace viand::engine
