// Cells as the readers find them, before any type is decided: what scanners make of a chunk, what
// conversion and inference read. Row by row; texts point into the chunk, the shared strings, or the
// table's own arena.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
}

namespace viand::ingest {

enum class CellKind : uint8_t {
  kNull,        ///< no cell, or an empty one
  kNumber,      ///< a number as text, not checked: of a sheet or of JSON
  kDateSerial,  ///< a number that its format shows as a date, days since 1899-12-30
  kDateSerial1904,
  kIsoTime,  ///< a cell of type date
  kText,
  kUntyped,  ///< of CSV: text that may mean a number, a time, a boolean
  kBoolean,  ///< "1" or "0"
  kError,    ///< an error cell, "#N/A": fits no type
  kFormula,  ///< a formula whose value was never computed: fits no type
  kNested,   ///< a JSON array or object where a value is expected: fits no type
};

struct RawCell {
  const char* data = nullptr;
  uint32_t size = 0;
  CellKind kind = CellKind::kNull;

  std::string_view text() const { return std::string_view(data, size); }
};

/// A bad row or document, found by a scanner. `row` counts as CellTable's row numbers do.
struct ScanProblem {
  int64_t row = 0;
  bool relative = false;
  std::string place;    ///< what follows "row N": empty, or ", cell B17"
  std::string message;  ///< empty: no problem
  std::string hint;
};

class CellTable {
 public:
  explicit CellTable(int columns) : columns_(columns) {}

  int columns() const { return columns_; }
  int64_t rows() const { return static_cast<int64_t>(row_numbers.size()); }
  const RawCell& At(int64_t row, int column) const { return cells[row * columns_ + column]; }

  /// Adds a row of nulls and returns its first cell; valid until the next row is added.
  RawCell* AddRow(int64_t number) {
    row_numbers.push_back(number);
    cells.resize(cells.size() + columns_);
    return cells.data() + cells.size() - columns_;
  }
  void DropLastRow() {
    row_numbers.pop_back();
    cells.resize(cells.size() - columns_);
  }
  /// Widens the table: a column found late has nulls above.
  void AddColumn();
  /// Keeps a text that is nowhere else as it is.
  std::string_view Own(std::string text) { return arena_.emplace_back(std::move(text)); }

  std::vector<RawCell> cells;
  std::vector<int64_t> row_numbers;  ///< row of the sheet, line of the file
  int64_t relative_rows =
      0;  ///< the first so many row numbers, and last_row if all, count from the chunk's start
  int64_t last_row = 0;  ///< last row or line of the chunk, blank ones included
  bool last_row_relative = true;

  bool finished = true;      ///< false: the chunk ends within a row, so the next one continues it
  bool end_of_data = false;  ///< nothing after this chunk is data
  ScanProblem problem;       ///< after the rows above
  int64_t skipped_rows = 0;  ///< bad rows left out
  std::vector<std::string>
      names;               ///< JSON: the columns found, or (with given names) other members found
  std::vector<bool> seen;  ///< JSON: which of the given names were there
  std::vector<std::shared_ptr<arrow::Array>> arrays;  ///< Parquet: the columns, in place of cells

 private:
  int columns_;
  std::deque<std::string> arena_;
};

}  // namespace viand::ingest
