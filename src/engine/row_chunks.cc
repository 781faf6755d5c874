#include "src/engine/row_chunks.h"

#include <arrow/array.h>
#include <arrow/table.h>

#include <algorithm>
#include <limits>

namespace viand::engine {
namespace {

/// How many rows have numbers below `row`.
int64_t RowsBefore(const arrow::ChunkedArray& numbers, int64_t row) {
  int64_t before = 0;
  for (const auto& chunk : numbers.chunks()) {
    const int64_t* first = chunk->data()->GetValues<int64_t>(1);
    const int64_t* last = first + chunk->length();
    if (first == last || last[-1] < row) {
      before += chunk->length();
      continue;
    }
    return before + (std::lower_bound(first, last, row) - first);
  }
  return before;
}

}  // namespace

std::shared_ptr<arrow::Table> RowsBetween(const std::shared_ptr<arrow::Table>& table, int64_t from,
                                          int64_t to) {
  const arrow::ChunkedArray& numbers = *table->column(0);
  const int64_t first = RowsBefore(numbers, from);
  const int64_t rows = RowsBefore(numbers, to) - first;
  return first == 0 && rows == table->num_rows() ? table : table->Slice(first, rows);
}

arrow::Result<std::vector<std::shared_ptr<arrow::Table>>> DealByRow(
    const std::shared_ptr<arrow::Table>& table, const RowChunks& chunks) {
  if (chunks.count == 1) return std::vector{table};
  if (table->column(0)->type()->id() != arrow::Type::INT64)
    return MakeError(ErrorKind::kInput, "a fragment's rows have no numbers");
  std::vector<std::shared_ptr<arrow::Table>> result;
  int64_t first = 0;
  for (int chunk = 0; chunk < chunks.count; ++chunk) {
    const bool last = chunk + 1 == chunks.count;
    const int64_t end =
        last ? table->num_rows() : RowsBefore(*table->column(0), (chunk + 1) * chunks.rows_each);
    result.push_back(table->Slice(first, end - first));
    first = end;
  }
  return result;
}

}  // namespace viand::engine
