// Rows that an executor holds between two plans: a spine that was computed. Fragments read them
// where they lie; the driver knows how many there are, and what their ends are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/engine/executor.h"
#include "src/engine/key_bounds.h"
#include "src/engine/time_range.h"

namespace viand::engine {

/// The executor must outlive it.
struct HeldRows {
  std::shared_ptr<arrow::Schema> schema;  ///< of each table, of any types
  std::vector<TableReference> tables;     ///< in row order; at least one
  std::string time;                       ///< the column of `range`
  TimeRange range;                        ///< of its times; one that does not bind: unknown
  std::map<std::string, KeySample> keys;  ///< of the columns of which the ends are known

  int64_t rows() const;
};

/// Tables that have some of the rows, in order: at least one.
struct TablesOfRows {
  std::vector<TableReference> tables;
  int64_t skipped_rows = 0;  ///< of `tables`, before the first that is wanted
};
TablesOfRows TablesWith(const HeldRows& held, int64_t first_row, int64_t rows);

/// Brings all rows into the driver's memory.
arrow::Result<std::shared_ptr<arrow::Table>> FetchAll(const HeldRows& held, Executor* executor);

}  // namespace viand::engine
