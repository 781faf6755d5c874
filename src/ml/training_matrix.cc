#include "src/ml/training_matrix.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace viand::ml {
namespace {

using arrow::internal::checked_cast;

template <typename ArrayType>
auto NumberAt(const ArrayType& array, int64_t row) {
  return array.Value(row);
}
float NumberAt(const arrow::HalfFloatArray& array, int64_t row) {
  return arrow::util::Float16::FromBits(array.Value(row)).ToFloat();
}
double NumberAt(const arrow::Decimal128Array& array, int64_t row) {
  const auto& type = checked_cast<const arrow::Decimal128Type&>(*array.type());
  return arrow::Decimal128(array.GetValue(row)).ToDouble(type.scale());
}
double NumberAt(const arrow::Decimal256Array& array, int64_t row) {
  const auto& type = checked_cast<const arrow::Decimal256Type&>(*array.type());
  return arrow::Decimal256(array.GetValue(row)).ToDouble(type.scale());
}

/// Calls sink.Value(position in `rows`, number) or sink.Null(position) for each of the rows.
template <typename ArrayType, typename Sink>
arrow::Status VisitChunks(const arrow::ChunkedArray& column, std::span<const int64_t> rows,
                          Sink& sink) {
  size_t next = 0;
  int64_t chunk_start = 0;
  for (const auto& chunk : column.chunks()) {
    const auto& array = checked_cast<const ArrayType&>(*chunk);
    const int64_t chunk_end = chunk_start + array.length();
    for (; next < rows.size() && rows[next] < chunk_end; ++next) {
      const int64_t at = rows[next] - chunk_start;
      if (array.IsNull(at)) {
        VIAND_RETURN_NOT_OK(sink.Null(next));
      } else {
        VIAND_RETURN_NOT_OK(sink.Value(next, NumberAt(array, at)));
      }
    }
    chunk_start = chunk_end;
  }
  return arrow::Status::OK();
}

template <typename Sink>
arrow::Status VisitNulls(std::span<const int64_t> rows, Sink& sink) {
  for (size_t i = 0; i < rows.size(); ++i) VIAND_RETURN_NOT_OK(sink.Null(i));
  return arrow::Status::OK();
}

template <typename Sink>
arrow::Status VisitNumbers(const arrow::ChunkedArray& column, std::span<const int64_t> rows,
                           Sink& sink) {
  switch (column.type()->id()) {
#define VIAND_CASE(id, ArrayType) \
  case arrow::Type::id:           \
    return VisitChunks<arrow::ArrayType>(column, rows, sink)
    VIAND_CASE(BOOL, BooleanArray);
    VIAND_CASE(INT8, Int8Array);
    VIAND_CASE(INT16, Int16Array);
    VIAND_CASE(INT32, Int32Array);
    VIAND_CASE(INT64, Int64Array);
    VIAND_CASE(UINT8, UInt8Array);
    VIAND_CASE(UINT16, UInt16Array);
    VIAND_CASE(UINT32, UInt32Array);
    VIAND_CASE(UINT64, UInt64Array);
    VIAND_CASE(HALF_FLOAT, HalfFloatArray);
    VIAND_CASE(FLOAT, FloatArray);
    VIAND_CASE(DOUBLE, DoubleArray);
    VIAND_CASE(DECIMAL128, Decimal128Array);
    VIAND_CASE(DECIMAL256, Decimal256Array);
#undef VIAND_CASE
    default:
      return VisitNulls(rows, sink);
  }
}

struct FeatureSink {
  const std::string& name;
  std::span<const int64_t> rows;
  float missing;
  int64_t stride;
  float* out;  ///< the column's place in the first row

  arrow::Status Null(size_t i) {
    out[i * stride] = missing;
    return arrow::Status::OK();
  }

  template <typename T>
  arrow::Status Value(size_t i, T value) {
    const float rounded = static_cast<float>(value);
    if (std::isinf(rounded)) return Unfit(i, static_cast<double>(value));
    out[i * stride] = std::isnan(rounded) ? missing : rounded;
    return arrow::Status::OK();
  }

  arrow::Status Unfit(size_t i, double value) const {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("feature column \"{}\" holds {} in row {}: expected null or a number that "
                    "float32, XGBoost's type, can hold",
                    name, value, rows[i] + 1),
        "make it null in the feature's expression (nullif, case), or filter the row");
  }
};

struct LabelSink {
  const std::string& name;
  std::span<const int64_t> rows;
  Task task;
  float* out;

  const char* Expected() const {
    return task == Task::kBinary ? "0 or 1 (or false, true)" : "a finite number";
  }

  arrow::Status Null(size_t i) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("label column \"{}\" is null in row {}: expected {}", name,
                                 rows[i] + 1, Expected()));
  }

  template <typename T>
  arrow::Status Value(size_t i, T value) {
    const float rounded = static_cast<float>(value);
    const bool fits = task == Task::kBinary
                          ? value == static_cast<T>(0) || value == static_cast<T>(1)
                          : std::isfinite(rounded);
    if (!fits) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("label column \"{}\" holds {} in row {}: expected {}", name,
                                   static_cast<double>(value), rows[i] + 1, Expected()));
    }
    out[i] = rounded;
    return arrow::Status::OK();
  }
};

arrow::Result<const arrow::ChunkedArray*> NumericColumn(const arrow::Table& table,
                                                        const std::string& name,
                                                        std::string_view role) {
  const int index = table.schema()->GetFieldIndex(name);
  if (index < 0) {
    const size_t count = table.schema()->GetAllFieldIndices(name).size();
    if (count > 1) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{} column \"{}\" is there {} times", role, name, count));
    }
    return MakeError(ErrorKind::kInput, fmt::format("there is no {} column \"{}\"", role, name),
                     DidYouMean(name, table.ColumnNames()));
  }
  const arrow::ChunkedArray& column = *table.column(index);
  if (FeatureTypeOf(*column.type()).empty()) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{} column \"{}\" has the type {}: expected a number or a boolean",
                                 role, name, column.type()->ToString()));
  }
  return &column;
}

}  // namespace

std::vector<int64_t> AllRows(int64_t rows) {
  std::vector<int64_t> all(rows);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

arrow::Result<DenseMatrix> ReadFeatures(const arrow::Table& table,
                                        const std::vector<std::string>& columns,
                                        std::span<const int64_t> rows,
                                        std::optional<double> fill_null) {
  DenseMatrix matrix;
  matrix.rows = static_cast<int64_t>(rows.size());
  matrix.columns = static_cast<int64_t>(columns.size());
  matrix.values.resize(rows.size() * columns.size());
  const float missing = fill_null.has_value() ? static_cast<float>(*fill_null)
                                              : std::numeric_limits<float>::quiet_NaN();
  for (size_t i = 0; i < columns.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(const auto* column, NumericColumn(table, columns[i], "feature"));
    if (rows.empty()) continue;  // checked all the same; there is no cell to point at
    FeatureSink sink{columns[i], rows, missing, matrix.columns, matrix.values.data() + i};
    VIAND_RETURN_NOT_OK(VisitNumbers(*column, rows, sink));
  }
  return matrix;
}

arrow::Result<std::vector<float>> ReadLabels(const arrow::Table& table, const std::string& name,
                                             std::span<const int64_t> rows, Task task) {
  VIAND_ASSIGN_OR_RETURN(const auto* column, NumericColumn(table, name, "label"));
  std::vector<float> labels(rows.size());
  LabelSink sink{name, rows, task, labels.data()};
  VIAND_RETURN_NOT_OK(VisitNumbers(*column, rows, sink));
  return labels;
}

std::string FeatureTypeOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::BOOL) return "i";
  if (arrow::is_integer(type.id())) return "int";
  const bool decimal = type.id() == arrow::Type::DECIMAL128 || type.id() == arrow::Type::DECIMAL256;
  const bool number = arrow::is_floating(type.id()) || decimal || type.id() == arrow::Type::NA;
  return number ? "float" : "";
}

}  // namespace viand::ml
