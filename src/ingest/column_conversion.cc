#include "src/ingest/column_conversion.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "src/common/block_pool.h"
#include "src/common/time.h"
#include "src/ingest/cell_value.h"

namespace viand::ingest {
namespace {

/// Values often repeat from one row to the next (the times of an invoice's lines): remembers the
/// last.
template <typename T>
class Memo {
 public:
  template <typename Convert>
  std::optional<T> Get(const RawCell& cell, Convert convert) {
    if (cell.kind == kind_ && cell.size == size_ && size_ <= sizeof(bytes_) &&
        std::memcmp(bytes_, cell.data, size_) == 0) {
      return value_;
    }
    value_ = convert(cell);
    kind_ = cell.kind;
    size_ = cell.size;
    if (size_ <= sizeof(bytes_)) std::memcpy(bytes_, cell.data, size_);
    return value_;
  }

 private:
  char bytes_[32] = {};
  uint32_t size_ = 0;
  CellKind kind_ = CellKind::kNull;
  std::optional<T> value_;
};

template <typename Builder, typename Convert>
arrow::Result<ConvertedColumn> Build(const CellTable& table, int column, Builder* builder,
                                     Convert convert) {
  ConvertedColumn result;
  VIAND_RETURN_NOT_OK(builder->Reserve(table.rows()));
  for (int64_t row = 0; row < table.rows(); ++row) {
    const RawCell& cell = table.At(row, column);
    const bool empty_text =
        cell.size == 0 && (cell.kind == CellKind::kText || cell.kind == CellKind::kUntyped);
    if (cell.kind == CellKind::kNull || empty_text) {
      builder->UnsafeAppendNull();
      continue;
    }
    if (const auto value = convert(cell)) {
      builder->UnsafeAppend(*value);
    } else {
      builder->UnsafeAppendNull();
      result.misfits.push_back(row);
    }
  }
  VIAND_ASSIGN_OR_RETURN(result.array, builder->Finish());
  return result;
}

template <typename ArrowType>
arrow::Result<ConvertedColumn> BuildInteger(const CellTable& table, int column) {
  using T = typename ArrowType::c_type;
  typename arrow::TypeTraits<ArrowType>::BuilderType builder;
  return Build(table, column, &builder, [](const RawCell& cell) -> std::optional<T> {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::is_unsigned_v<T>) {
      const auto value = CellToUnsigned(cell);
      if (value && *value <= Limits::max()) return static_cast<T>(*value);
    } else {
      const auto value = CellToInteger(cell);
      if (value && *value >= Limits::min() && *value <= Limits::max())
        return static_cast<T>(*value);
    }
    return std::nullopt;
  });
}

arrow::Result<ConvertedColumn> BuildFloat(const CellTable& table, int column) {
  arrow::FloatBuilder builder;
  return Build(table, column, &builder, [](const RawCell& cell) -> std::optional<float> {
    const auto value = CellToDouble(cell);
    if (!value) return std::nullopt;
    const auto narrow = static_cast<float>(*value);
    if (std::isinf(narrow) && !std::isinf(*value)) return std::nullopt;
    return narrow;
  });
}

arrow::Result<ConvertedColumn> BuildText(const CellTable& table, int column) {
  ConvertedColumn result;
  arrow::StringBuilder builder;
  int64_t bytes = 0;
  for (int64_t row = 0; row < table.rows(); ++row) bytes += table.At(row, column).size;
  VIAND_RETURN_NOT_OK(builder.Reserve(table.rows()));
  VIAND_RETURN_NOT_OK(builder.ReserveData(bytes));
  std::string scratch;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const RawCell& cell = table.At(row, column);
    if (cell.kind == CellKind::kNull) {
      builder.UnsafeAppendNull();
    } else if (const auto text = CellToText(cell, &scratch)) {
      VIAND_RETURN_NOT_OK(builder.Append(*text));
    } else {
      builder.UnsafeAppendNull();
      result.misfits.push_back(row);
    }
  }
  VIAND_ASSIGN_OR_RETURN(result.array, builder.Finish());
  return result;
}

arrow::Result<ConvertedColumn> BuildTimestamp(const CellTable& table, int column,
                                              const std::shared_ptr<arrow::DataType>& type) {
  arrow::TimestampBuilder builder(type, ProcessPool());
  Memo<int64_t> memo;
  return Build(table, column, &builder,
               [&memo](const RawCell& cell) { return memo.Get(cell, CellToTimestampUs); });
}

arrow::Status PutCell(std::string text, CellKind kind, RawCell* cell, CellTable* table) {
  const std::string_view owned = table->Own(std::move(text));
  *cell = RawCell{owned.data(), static_cast<uint32_t>(owned.size()), kind};
  return arrow::Status::OK();
}

/// Returns a time of any unit as ISO text with up to nine digits of fraction: microseconds that do
/// not hold it are told from those that do when the text is parsed.
std::string TimeText(int64_t value, arrow::TimeUnit::type unit) {
  constexpr int64_t kPerSecond[] = {1, 1'000, 1'000'000, 1'000'000'000};
  const int64_t per_second = kPerSecond[unit];
  int64_t seconds = value / per_second;
  int64_t fraction = value % per_second;
  if (fraction < 0) {
    fraction += per_second;
    --seconds;
  }
  constexpr int64_t kMaxSeconds = 253'402'300'800;  // the year 10000: no such text, so no such time
  if (seconds >= kMaxSeconds || seconds < -62'135'596'800)
    return fmt::format("{} seconds since 1970", seconds);
  std::string text = FormatTimestamp(seconds * kMicrosPerSecond);
  if (fraction != 0) text += fmt::format(".{:09}", fraction * (1'000'000'000 / per_second));
  return text;
}

template <typename ArrayType, typename Format>
arrow::Status FillCells(const arrow::Array& array, int column, CellTable* table, CellKind kind,
                        Format format) {
  const auto& values = static_cast<const ArrayType&>(array);
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) continue;
    RawCell* cell = &table->cells[row * table->columns() + column];
    VIAND_RETURN_NOT_OK(PutCell(format(values, row), kind, cell, table));
  }
  return arrow::Status::OK();
}

template <typename ArrayType>
arrow::Status FillNumbers(const arrow::Array& array, int column, CellTable* table) {
  return FillCells<ArrayType>(
      array, column, table, CellKind::kNumber,
      [](const ArrayType& values, int64_t row) { return fmt::format("{}", values.Value(row)); });
}

template <typename ArrayType>
arrow::Status FillTexts(const arrow::Array& array, int column, CellTable* table) {
  return FillCells<ArrayType>(
      array, column, table, CellKind::kText,
      [](const ArrayType& values, int64_t row) { return std::string(values.GetView(row)); });
}

}  // namespace

arrow::Status CheckConvertible(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::BOOL:
    case arrow::Type::STRING:
    case arrow::Type::DATE32:
      return arrow::Status::OK();
    case arrow::Type::TIMESTAMP:
      if (static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO)
        return arrow::Status::OK();
      break;
    default:
      break;
  }
  return MakeError(
      ErrorKind::kDefinition, fmt::format("type {} cannot be read from a file", type.ToString()),
      "use varchar, bigint, integer, double, boolean, timestamp or date, and cast in `columns`");
}

arrow::Result<ConvertedColumn> ConvertColumn(const CellTable& table, int column,
                                             const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return BuildInteger<arrow::Int8Type>(table, column);
    case arrow::Type::INT16:
      return BuildInteger<arrow::Int16Type>(table, column);
    case arrow::Type::INT32:
      return BuildInteger<arrow::Int32Type>(table, column);
    case arrow::Type::INT64:
      return BuildInteger<arrow::Int64Type>(table, column);
    case arrow::Type::UINT8:
      return BuildInteger<arrow::UInt8Type>(table, column);
    case arrow::Type::UINT16:
      return BuildInteger<arrow::UInt16Type>(table, column);
    case arrow::Type::UINT32:
      return BuildInteger<arrow::UInt32Type>(table, column);
    case arrow::Type::UINT64:
      return BuildInteger<arrow::UInt64Type>(table, column);
    case arrow::Type::FLOAT:
      return BuildFloat(table, column);
    case arrow::Type::DOUBLE: {
      arrow::DoubleBuilder builder;
      return Build(table, column, &builder, CellToDouble);
    }
    case arrow::Type::BOOL: {
      arrow::BooleanBuilder builder;
      return Build(table, column, &builder, CellToBoolean);
    }
    case arrow::Type::DATE32: {
      arrow::Date32Builder builder;
      return Build(table, column, &builder, CellToDate);
    }
    case arrow::Type::TIMESTAMP:
      return BuildTimestamp(table, column, type);
    case arrow::Type::STRING:
      return BuildText(table, column);
    default:
      return CheckConvertible(*type);
  }
}

arrow::Status ArrayToCells(const arrow::Array& array, int column, CellTable* table) {
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return FillNumbers<arrow::Int8Array>(array, column, table);
    case arrow::Type::INT16:
      return FillNumbers<arrow::Int16Array>(array, column, table);
    case arrow::Type::INT32:
      return FillNumbers<arrow::Int32Array>(array, column, table);
    case arrow::Type::INT64:
      return FillNumbers<arrow::Int64Array>(array, column, table);
    case arrow::Type::UINT8:
      return FillNumbers<arrow::UInt8Array>(array, column, table);
    case arrow::Type::UINT16:
      return FillNumbers<arrow::UInt16Array>(array, column, table);
    case arrow::Type::UINT32:
      return FillNumbers<arrow::UInt32Array>(array, column, table);
    case arrow::Type::UINT64:
      return FillNumbers<arrow::UInt64Array>(array, column, table);
    case arrow::Type::FLOAT:
      return FillCells<arrow::FloatArray>(array, column, table, CellKind::kNumber,
                                          [](const arrow::FloatArray& values, int64_t row) {
                                            return fmt::format(
                                                "{}", static_cast<double>(values.Value(row)));
                                          });
    case arrow::Type::DOUBLE:
      return FillNumbers<arrow::DoubleArray>(array, column, table);
    case arrow::Type::STRING:
      return FillTexts<arrow::StringArray>(array, column, table);
    case arrow::Type::LARGE_STRING:
      return FillTexts<arrow::LargeStringArray>(array, column, table);
    case arrow::Type::BOOL:
      return FillCells<arrow::BooleanArray>(array, column, table, CellKind::kBoolean,
                                            [](const arrow::BooleanArray& values, int64_t row) {
                                              return values.Value(row) ? "1" : "0";
                                            });
    case arrow::Type::DATE32:
      return FillCells<arrow::Date32Array>(
          array, column, table, CellKind::kIsoTime,
          [](const arrow::Date32Array& values, int64_t row) {
            return TimeText(values.Value(row) * (kMicrosPerDay / kMicrosPerSecond),
                            arrow::TimeUnit::SECOND);
          });
    case arrow::Type::TIMESTAMP: {
      const auto unit = static_cast<const arrow::TimestampType&>(*array.type()).unit();
      return FillCells<arrow::TimestampArray>(
          array, column, table, CellKind::kIsoTime,
          [unit](const arrow::TimestampArray& values, int64_t row) {
            return TimeText(values.Value(row), unit);
          });
    }
    default:
      return FillCells<arrow::Array>(
          array, column, table, CellKind::kNested,
          [](const arrow::Array& values, int64_t) { return values.type()->ToString(); });
  }
}

}  // namespace viand::ingest
