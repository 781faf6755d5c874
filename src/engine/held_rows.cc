#include "src/engine/held_rows.h"

#include <arrow/table.h>

namespace viand::engine {

int64_t HeldRows::rows() const {
  int64_t rows = 0;
  for (const TableReference& table : tables) rows += table->rows();
  return rows;
}

TablesOfRows TablesWith(const HeldRows& held, int64_t first_row, int64_t rows) {
  TablesOfRows found;
  int64_t row = 0;
  for (const TableReference& table : held.tables) {
    const int64_t next = row + table->rows();
    if (next > first_row && row < first_row + rows) {
      if (found.tables.empty()) found.skipped_rows = first_row - row;
      found.tables.push_back(table);
    }
    row = next;
  }
  if (found.tables.empty()) found.tables.push_back(held.tables[0]);
  return found;
}

arrow::Result<std::shared_ptr<arrow::Table>> FetchAll(const HeldRows& held, Executor* executor) {
  std::vector<std::shared_ptr<arrow::Table>> tables;
  for (const TableReference& reference : held.tables) {
    VIAND_ASSIGN_OR_RETURN(tables.emplace_back(), executor->Fetch(reference));
  }
  return arrow::ConcatenateTables(tables);
}

}  // namespace viand::engine
