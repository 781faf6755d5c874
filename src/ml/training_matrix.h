// Arrow columns -> the dense float32 rows that XGBoost learns from.
//
// Numbers are rounded to float32 once from their own type, as XGBoost's own readers of NumPy and
// pandas do, so that a model sees the same bits from viand and from Python. Thread-safe: values
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class DataType;
class Table;
}  // namespace arrow

namespace viand::ml {

/// What a model tells, and so which labels it takes.
enum class Task {
  kBinary,      ///< the probability of label 1 against 0
  kRegression,  ///< a number
};

/// Rows of `columns` numbers each, one row after the other; NaN is missing.
struct DenseMatrix {
  std::vector<float> values;
  int64_t rows = 0;
  int64_t columns = 0;
};

/// Returns the row numbers 0 ... rows - 1.
std::vector<int64_t> AllRows(int64_t rows);

/// Reads the given rows (ascending) of feature columns: any integer, float, decimal or boolean
/// type. Nulls and NaN become `fill_null`, or missing without it. kInput errors: an unknown column
/// (with the nearest name), one of another type, a value that float32 cannot hold (with column and
/// row, counted from 1).
arrow::Result<DenseMatrix> ReadFeatures(const arrow::Table& table,
                                        const std::vector<std::string>& columns,
                                        std::span<const int64_t> rows,
                                        std::optional<double> fill_null);

/// Reads the given rows (ascending) of the label column. kInput errors: an unknown column, one of
/// another type, a null, a label that is not finite, or not 0 or 1 for kBinary (with the row,
/// counted from 1).
arrow::Result<std::vector<float>> ReadLabels(const arrow::Table& table, const std::string& column,
                                             std::span<const int64_t> rows, Task task);

/// Returns XGBoost's name of a column's type: "int", "float", or "i" for a boolean; empty for a
/// type that is no feature's.
std::string FeatureTypeOf(const arrow::DataType& type);

}  // namespace viand::ml
