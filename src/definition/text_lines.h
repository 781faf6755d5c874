// Where the lines of a text start: bytes <-> line and column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace viand::definition {

/// Keeps a view of the text, which must stay alive. Not thread-safe: remembers the last place asked
/// for, so that asking in order costs one pass over the text.
class TextLines {
 public:
  struct Place {
    int line = 0;
    int column = 0;
  };

  TextLines(std::string_view text, std::string file);

  /// Returns the place of a byte; columns count characters, as the expression parser's do.
  Place PlaceOf(size_t offset) const;
  SourceLocation At(size_t offset) const;

  /// Returns the byte of a line and a column in bytes, both from 0 (as yaml-cpp's marks), within
  /// the text.
  size_t OffsetOf(int line, int column_bytes) const;

  /// Returns a line (from 0) without its end; empty beyond the last.
  std::string_view Line(size_t line) const;

  size_t count() const { return starts_.size(); }

 private:
  std::string_view text_;
  std::string file_;
  std::vector<size_t> starts_;
  mutable size_t last_offset_ = 0;
  mutable Place last_;
};

}  // namespace viand::definition
