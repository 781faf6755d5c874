// Sheet XML -> cells. A chunk starts between rows; the cells that Excel, XlsxWriter and openpyxl
// write go through a path that compares whole tags, everything else through XmlReader. Both find
// the same cells. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "src/ingest/cell_table.h"
#include "src/ingest/workbook.h"

namespace viand::ingest {

class SheetScanner {
 public:
  /// `slots[c]` is the table column of sheet column c (0 is A), or -1 to leave it out; columns
  /// beyond are left out.
  SheetScanner(const WorkbookContext* context, std::vector<int> slots, int columns)
      : context_(context), slots_(std::move(slots)), columns_(columns) {}

  /// Scans the rows of `xml`, which must have kChunkPadding zero bytes behind it. A row without any
  /// value is no row. `max_rows` stops early (the header); `*stop` is where.
  CellTable Scan(std::string_view xml, int64_t max_rows = -1, const char** stop = nullptr) const;

  /// Switches the fast path off: the oracle of its test.
  void set_plain(bool plain) { plain_ = plain; }

 private:
  const WorkbookContext* context_;
  std::vector<int> slots_;
  int columns_;
  bool plain_ = false;
};

/// Passes over everything up to and including `<sheetData>`. Returns the rows' start; null where
/// the text ends before; an error where the part is no worksheet.
arrow::Result<const char*> FindSheetData(const std::string& part, std::string_view xml,
                                         bool* empty);

/// The cut of chunk_reader.h for sheets: before the last `<row`, whatever its prefix.
int64_t FindLastRow(std::string_view xml);

/// Returns the letters of a column: 0 is A, 26 is AA.
std::string ColumnLetters(int column);

}  // namespace viand::ingest
