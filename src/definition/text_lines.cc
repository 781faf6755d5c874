#include "src/definition/text_lines.h"

#include <algorithm>
#include <utility>

namespace viand::definition {

TextLines::TextLines(std::string_view text, std::string file)
    : text_(text), file_(std::move(file)), starts_{0} {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

TextLines::Place TextLines::PlaceOf(size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto holds = [&](size_t line) {
    return starts_[line] <= offset && (line + 1 == starts_.size() || offset < starts_[line + 1]);
  };
  // Mostly the line asked for last, or the one after it.
  size_t line = static_cast<size_t>(std::max(0, last_.line - 1));
  if (!holds(line) && (++line == starts_.size() || !holds(line))) {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
    line = static_cast<size_t>(after - starts_.begin()) - 1;
  }
  const bool goes_on = last_.line == static_cast<int>(line) + 1 && last_offset_ <= offset;
  int column = goes_on ? last_.column : 1;
  for (size_t i = goes_on ? last_offset_ : starts_[line]; i < offset; ++i) {
    column += (text_[i] & 0xC0) != 0x80;
  }
  last_offset_ = offset;
  last_ = {static_cast<int>(line) + 1, column};
  return last_;
}

SourceLocation TextLines::At(size_t offset) const {
  const Place place = PlaceOf(offset);
  return {file_, place.line, place.column};
}

size_t TextLines::OffsetOf(int line, int column_bytes) const {
  if (line < 0 || static_cast<size_t>(line) >= starts_.size()) return text_.size();
  return std::min(text_.size(), starts_[line] + static_cast<size_t>(std::max(0, column_bytes)));
}

std::string_view TextLines::Line(size_t line) const {
  if (line >= starts_.size()) return {};
  const size_t end = line + 1 < starts_.size() ? starts_[line + 1] - 1 : text_.size();
  return text_.substr(starts_[line], end - starts_[line]);
}

}  // namespace viand::definition
