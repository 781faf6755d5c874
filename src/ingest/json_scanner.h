// JSON lines -> cells: one object a line, members by name, a member of a nested object as "a.b". A
// missing member is null. Every line is checked whole (RFC 8259), also the parts that nobody reads.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/ingest/cell_table.h"

namespace viand::ingest {

class JsonScanner {
 public:
  /// Scans the named columns only. With `skip_bad_rows` a line that is no object is left out and
  /// counted.
  explicit JsonScanner(std::vector<std::string> names, bool skip_bad_rows = false)
      : names_(std::move(names)), skip_bad_rows_(skip_bad_rows) {}
  /// Scans all columns; the table's `names` tells them, in order of appearance.
  static JsonScanner OfAllColumns(bool skip_bad_rows = false) {
    JsonScanner scanner({}, skip_bad_rows);
    scanner.discover_ = true;
    return scanner;
  }

  /// Scans whole lines; blank ones are passed over.
  CellTable Scan(std::string_view text) const;

 private:
  const std::vector<std::string> names_;
  bool discover_ = false;
  const bool skip_bad_rows_ = false;
};

}  // namespace viand::ingest
