#include "src/definition/window_text.h"

#include <fmt/format.h>

#include "src/common/time.h"
#include "src/definition/error_list.h"

namespace viand::definition {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

arrow::Status BadWindow(std::string_view text, const SourceLocation& where) {
  return ErrorAt(
      where, ErrorKind::kDefinition, fmt::format("\"{}\" is not a window", text),
      "write a duration such as 90d or 36h, \"unbounded\", or in labels \"30d following\"");
}

/// A window that can hold no row: written as a zero or negative duration.
bool IsEmptyDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto length = ParseDurationUs(Trim(negative ? text.substr(1) : text));
  return length.ok() && (negative || *length == 0);
}

arrow::Status BadBound(std::string_view text, const SourceLocation& where) {
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("\"{}\" is not a bound of a grid", text),
                 "write start + 90d, end - 30d, start, end, or a time such as 2011-03-01 08:26");
}

/// Reads what follows "start" or "end": nothing, or a sign and a duration.
arrow::Result<int64_t> ParseOffset(std::string_view rest, std::string_view whole,
                                   const SourceLocation& where) {
  rest = Trim(rest);
  if (rest.empty()) return 0;
  const char sign = rest.front();
  if (sign != '+' && sign != '-') return BadBound(whole, where);
  const auto offset = ParseDurationUs(Trim(rest.substr(1)));
  if (!offset.ok()) return BadBound(whole, where);
  return sign == '-' ? -*offset : *offset;
}

}  // namespace

arrow::Result<Window> ParseWindow(std::string_view text, const SourceLocation& where) {
  constexpr std::string_view kFollowing = "following";
  Window window;
  window.where = where;
  std::string_view rest = Trim(text);
  if (rest == "unbounded") {
    window.unbounded = true;
    return window;
  }
  if (rest.ends_with(kFollowing)) {
    window.following = true;
    rest = Trim(rest.substr(0, rest.size() - kFollowing.size()));
  }
  if (IsEmptyDuration(rest)) {
    return ErrorAt(where, ErrorKind::kDefinition,
                   fmt::format("the window \"{}\" is empty: no row can be in it", Trim(text)),
                   "write a duration above zero, such as 90d, or \"unbounded\"");
  }
  const auto length = ParseDurationUs(rest);
  if (!length.ok()) return BadWindow(text, where);
  window.length_us = *length;
  return window;
}

std::string FormatWindow(const Window& window) {
  if (window.unbounded) return "unbounded";
  return FormatDuration(window.length_us) + (window.following ? " following" : "");
}

arrow::Result<GridBound> ParseGridBound(std::string_view text, const SourceLocation& where) {
  GridBound bound;
  bound.text = std::string(text);
  const std::string_view rest = Trim(text);
  if (rest.starts_with("start")) {
    bound.anchor = GridBound::Anchor::kStart;
    VIAND_ASSIGN_OR_RETURN(bound.offset_us, ParseOffset(rest.substr(5), text, where));
  } else if (rest.starts_with("end")) {
    bound.anchor = GridBound::Anchor::kEnd;
    VIAND_ASSIGN_OR_RETURN(bound.offset_us, ParseOffset(rest.substr(3), text, where));
  } else {
    const auto time = ParseTimestampUs(rest);
    if (!time.ok()) return BadBound(text, where);
    bound.offset_us = *time;
  }
  return bound;
}

std::string FormatGridBound(const GridBound& bound) {
  if (bound.anchor == GridBound::Anchor::kLiteral) return FormatTimestamp(bound.offset_us);
  const std::string_view anchor = bound.anchor == GridBound::Anchor::kStart ? "start" : "end";
  if (bound.offset_us == 0) return std::string(anchor);
  const bool negative = bound.offset_us < 0;
  return fmt::format("{} {} {}", anchor, negative ? '-' : '+',
                     FormatDuration(negative ? -bound.offset_us : bound.offset_us));
}

}  // namespace viand::definition
