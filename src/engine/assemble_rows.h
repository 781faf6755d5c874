// Puts the parts of a result back into the order of the spine: the last step of a retrieval.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"
#include "src/engine/execute_fragment.h"

namespace viand::engine {

struct AssembleOptions {
  int64_t first_row = 0;  ///< the number of the first row of the result
  MissingRows missing = MissingRows::kRefused;
  bool in_parallel = false;  ///< columns on Arrow's threads
  arrow::MemoryPool* pool = nullptr;
};

/// Returns the columns after the first of tables (row number: int64, columns of `columns`...), in
/// order of row number, `rows` of them from first_row on. A row number that two parts have, or one
/// that is missing where that is refused, is kInput.
arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> AssembleRows(
    const Tables& parts, const arrow::Schema& columns, int64_t rows,
    const AssembleOptions& options);

/// Appends what one lookup found to `rows`, rows of the spine from `options.first_row` on, as the
/// columns `fields`. `pieces` are tables (row number, columns of `columns`...), each ascending by
/// row number, that may have other rows too. Returns the parts of them that were put together.
arrow::Result<Tables> AppendFound(const Tables& pieces, const arrow::Schema& columns,
                                  const arrow::FieldVector& fields, const AssembleOptions& options,
                                  std::shared_ptr<arrow::Table>* rows);

/// How many of `most` rows, at least one, are put together at a time from pieces for `rows` rows:
/// not more than are of some bytes, for features may be of any length.
int64_t RowsOfLength(const std::vector<Tables>& pieces, int64_t rows, int64_t most);

/// How many rows the tables have.
int64_t RowsOf(const Tables& tables);

/// The error of row numbers that cannot be.
arrow::Status RowsLostOrRepeated();

}  // namespace viand::engine
