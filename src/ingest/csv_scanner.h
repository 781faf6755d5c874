// CSV text -> cells (RFC 4180 and what goes by its name: CRLF or LF, quoted fields with line breaks
// and doubled quotes). A quote within an unquoted field is an ordinary character. An empty field is
// null, a quoted empty one an empty text. Blank lines are passed over. Rows are numbered by their
// first line in the file. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/ingest/cell_table.h"

namespace viand::ingest {

/// The first row of a file, as far as the text goes.
struct CsvHeader {
  std::vector<std::string> names;
  std::string_view rest;  ///< what follows the row
  int64_t line = 0;       ///< of the row
  int64_t lines = 0;      ///< up to its end
  bool finished = false;  ///< false: the row goes on behind the text, or is bad
  int bad_field = 0;      ///< the field, from 1, with text behind its closing quote; 0: none
};

class CsvScanner {
 public:
  /// `slots[f]` is the table column of field f, or -1 to leave it out; a row must have slots.size()
  /// fields. With `skip_bad_rows` a row of another length is left out and counted.
  CsvScanner(char delimiter, std::vector<int> slots, int columns, bool skip_bad_rows = false)
      : delimiter_(delimiter),
        slots_(std::move(slots)),
        columns_(columns),
        skip_bad_rows_(skip_bad_rows) {}

  /// Scans whole rows. The text must have kChunkPadding zero bytes behind it; `last` says that
  /// nothing follows, so the final row needs no line end.
  CellTable Scan(std::string_view text, bool last) const;

  /// Reads the first row of `text` that is not blank as names; none where there is no such row.
  static CsvHeader ReadHeader(std::string_view text, char delimiter, bool last);

 private:
  const char delimiter_;
  const std::vector<int> slots_;
  const int columns_;
  const bool skip_bad_rows_;
};

/// What is said of a field like `"a"b`, and what to do.
std::string TextBehindQuote(int field);
inline constexpr char kQuoteHint[] = "a quote within quotes is written twice";

/// The cut of chunk_reader.h for text formats: behind the last line feed.
int64_t FindLastLine(std::string_view text);

/// Reports the line of the first byte that is not UTF-8 as the table's problem; true where all is
/// well.
bool CheckUtf8(std::string_view text, CellTable* table);

}  // namespace viand::ingest
