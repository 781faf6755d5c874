// A column of cells -> an Arrow array of the column's type. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/ingest/cell_table.h"

namespace arrow {
class DataType;
}

namespace viand::ingest {

struct ConvertedColumn {
  std::shared_ptr<arrow::Array> array;
  std::vector<int64_t>
      misfits;  ///< rows whose cell does not fit the type, ascending; null in the array
};

/// Fails unless `type` is one that cells can become: integers, float, double, boolean, varchar,
/// date, timestamp of microseconds.
arrow::Status CheckConvertible(const arrow::DataType& type);

/// Converts a column. An empty text is null but in a varchar column.
arrow::Result<ConvertedColumn> ConvertColumn(const CellTable& table, int column,
                                             const std::shared_ptr<arrow::DataType>& type);

/// Makes cells of an Arrow array's values, into column `column` of `table`: how a Parquet column of
/// another type than the declared one goes by the same rules. A type without a cell form gives
/// kNested cells.
arrow::Status ArrayToCells(const arrow::Array& array, int column, CellTable* table);

}  // namespace viand::ingest
