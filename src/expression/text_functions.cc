#include "src/expression/text_functions.h"

#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "src/common/sha256.h"
#include "src/expression/row_map.h"

namespace viand::expression {
namespace {

// One value must not eat the machine: repeat('x', 1e18).
constexpr int64_t kValueLimitBytes = 64 << 20;

bool IsContinuation(char c) { return (c & 0xC0) == 0x80; }

/// Returns the bytes of the code point that starts at `i`; a stray byte counts as one.
size_t CodePointLength(std::string_view text, size_t i) {
  size_t end = i + 1;
  while (end < text.size() && end < i + 4 && IsContinuation(text[end])) ++end;
  return end - i;
}

/// Returns the byte offset of the n-th code point (from 0), the text's size beyond its end.
size_t OffsetOf(std::string_view text, int64_t n) {
  size_t i = 0;
  for (; n > 0 && i < text.size(); --n) i += CodePointLength(text, i);
  return i;
}

/// Tells whether a code point is a blank that trim takes away: Unicode's space separators.
bool IsBlank(std::string_view point) {
  static constexpr std::string_view kBlanks[] = {
      " ",      "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
      "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u202F", "\u205F", "\u3000"};
  return std::find(std::begin(kBlanks), std::end(kBlanks), point) != std::end(kBlanks);
}

template <class Predicate>
std::string_view TrimFront(std::string_view text, Predicate drops) {
  while (!text.empty()) {
    const size_t length = CodePointLength(text, 0);
    if (!drops(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  return text;
}

template <class Predicate>
std::string_view TrimBack(std::string_view text, Predicate drops) {
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && IsContinuation(text[start])) --start;
    if (!drops(text.substr(start))) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

auto AmongPoints(std::string_view letters) {
  return
      [letters](std::string_view point) { return letters.find(point) != std::string_view::npos; };
}

arrow::Status TooLong() {
  return arrow::Status::Invalid(
      fmt::format("the result would be longer than {} bytes", kValueLimitBytes));
}

/// Reads `count` code points of a repeated fill.
arrow::Result<std::string> Fill(std::string_view fill, int64_t count) {
  if (count <= 0) return std::string();
  if (fill.empty()) return arrow::Status::Invalid("there is nothing to pad with");
  if (count > kValueLimitBytes) return TooLong();
  std::string text;
  size_t i = 0;
  for (; count > 0; --count) {
    if (i >= fill.size()) i = 0;
    const size_t length = CodePointLength(fill, i);
    text += fill.substr(i, length);
    i += length;
  }
  return text;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

arrow::Result<std::string> ByKernel(const char* kernel, std::string_view text) {
  VIAND_ASSIGN_OR_RETURN(
      arrow::Datum result,
      arrow::compute::CallFunction(
          kernel, {arrow::Datum(std::make_shared<arrow::StringScalar>(std::string(text)))}));
  return std::string(static_cast<const arrow::StringScalar&>(*result.scalar()).view());
}

arrow::Result<std::optional<char>> EscapeOf(std::string_view escape) {
  if (escape.empty()) return std::nullopt;
  if (escape.size() != 1) return arrow::Status::Invalid("an escape is one letter or empty");
  return escape.front();
}

/// Matches with backtracking to the last % only, which is enough for LIKE. An escape at the
/// pattern's end is itself.
bool Matches(std::string_view text, std::string_view pattern, std::optional<char> escape) {
  size_t t = 0, p = 0;
  size_t star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && escape && pattern[p] == *escape;
    const size_t literal = escaped ? p + 1 : p;
    if (p < pattern.size() && !escaped && pattern[p] == '%') {
      star = ++p;
      resume = t;
    } else if (p < pattern.size() && !escaped && pattern[p] == '_') {
      t += CodePointLength(text, t);
      ++p;
    } else if (literal < pattern.size() && pattern[literal] == text[t]) {
      ++t;
      p = literal + 1;
    } else if (star != std::string_view::npos) {
      p = star;
      t = ++resume;
      while (t < text.size() && IsContinuation(text[t])) t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace

int64_t LengthOf(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); });
}

int64_t BytesOf(std::string_view text) { return static_cast<int64_t>(text.size()); }

std::string_view Substring(std::string_view text, int64_t start) {
  return SubstringOf(text, start, INT64_MAX);
}

std::string_view SubstringOf(std::string_view text, int64_t start, int64_t length) {
  // A negative start counts from the end, a negative length reaches back; 0 is the place before the
  // first.
  const int64_t size = LengthOf(text);
  __int128 first =
      start < 0 ? static_cast<__int128>(size) + start : static_cast<__int128>(start) - 1;
  __int128 last = first + length;
  if (length < 0) std::swap(first, last);
  const auto clipped = [size](__int128 place) {
    return static_cast<int64_t>(std::clamp<__int128>(place, 0, size));
  };
  const size_t begin = OffsetOf(text, clipped(first));
  const std::string_view rest = text.substr(begin);
  return rest.substr(0, OffsetOf(rest, std::max<int64_t>(0, clipped(last) - clipped(first))));
}

std::string_view LeftOf(std::string_view text, int64_t count) {
  if (count < 0) count = std::max<int64_t>(0, LengthOf(text) + std::max(count, -LengthOf(text)));
  return text.substr(0, OffsetOf(text, count));
}

std::string_view RightOf(std::string_view text, int64_t count) {
  const int64_t size = LengthOf(text);
  const int64_t skipped = count >= 0 ? std::max<int64_t>(0, size - count) : -std::max(count, -size);
  return text.substr(OffsetOf(text, skipped));
}

std::string_view Trim(std::string_view text) { return TrimRight(TrimLeft(text)); }
std::string_view TrimLeft(std::string_view text) { return TrimFront(text, IsBlank); }
std::string_view TrimRight(std::string_view text) { return TrimBack(text, IsBlank); }
std::string_view TrimOf(std::string_view text, std::string_view letters) {
  return TrimRightOf(TrimLeftOf(text, letters), letters);
}
std::string_view TrimLeftOf(std::string_view text, std::string_view letters) {
  return TrimFront(text, AmongPoints(letters));
}
std::string_view TrimRightOf(std::string_view text, std::string_view letters) {
  return TrimBack(text, AmongPoints(letters));
}

bool StartsWith(std::string_view text, std::string_view prefix) { return text.starts_with(prefix); }
bool EndsWith(std::string_view text, std::string_view suffix) { return text.ends_with(suffix); }
bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

int64_t PositionOf(std::string_view text, std::string_view part) {
  const size_t found = text.find(part);
  return found == std::string_view::npos ? 0 : LengthOf(text.substr(0, found)) + 1;
}

arrow::Result<std::string> Replace(std::string_view text, std::string_view part,
                                   std::string_view by) {
  if (part.empty()) return std::string(text);
  std::string result;
  size_t from = 0;
  for (size_t found = text.find(part); found != std::string_view::npos;
       found = text.find(part, from)) {
    result += text.substr(from, found - from);
    result += by;
    from = found + part.size();
    if (result.size() > static_cast<size_t>(kValueLimitBytes)) return TooLong();
  }
  result += text.substr(from);
  return result;
}

std::string_view SplitPart(std::string_view text, std::string_view separator, int64_t index) {
  if (index == 0) return "";
  std::vector<std::string_view> parts;
  if (separator.empty()) {  // every code point is a part
    for (size_t i = 0; i < text.size(); i += parts.back().size()) {
      parts.push_back(text.substr(i, CodePointLength(text, i)));
    }
  } else {
    size_t from = 0;
    for (size_t found = text.find(separator); found != std::string_view::npos;
         found = text.find(separator, from)) {
      parts.push_back(text.substr(from, found - from));
      from = found + separator.size();
    }
    parts.push_back(text.substr(from));
  }
  const int64_t size = static_cast<int64_t>(parts.size());
  if (index > size || index < -size) return "";
  return parts[index > 0 ? index - 1 : size + index];
}

std::string Reverse(std::string_view text) {
  std::string result(text.size(), '\0');
  size_t place = text.size();
  for (size_t i = 0; i < text.size();) {
    const size_t length = CodePointLength(text, i);
    place -= length;
    text.copy(result.data() + place, length, i);
    i += length;
  }
  return result;
}

arrow::Result<std::string> PadLeft(std::string_view text, int64_t length, std::string_view fill) {
  const int64_t size = LengthOf(text);
  if (length <= size) return std::string(LeftOf(text, std::max<int64_t>(0, length)));
  VIAND_ASSIGN_OR_RETURN(std::string padding, Fill(fill, length - size));
  return padding.append(text);
}

arrow::Result<std::string> PadRight(std::string_view text, int64_t length, std::string_view fill) {
  const int64_t size = LengthOf(text);
  if (length <= size) return std::string(LeftOf(text, std::max<int64_t>(0, length)));
  VIAND_ASSIGN_OR_RETURN(std::string padding, Fill(fill, length - size));
  return std::string(text) + padding;
}

arrow::Result<std::string> Repeat(std::string_view text, int64_t count) {
  if (count <= 0 || text.empty()) return std::string();
  if (count > kValueLimitBytes / static_cast<int64_t>(text.size())) return TooLong();
  std::string result;
  result.reserve(text.size() * static_cast<size_t>(count));
  for (; count > 0; --count) result += text;
  return result;
}

int64_t FirstCodePoint(std::string_view text) {
  if (text.empty()) return 0;
  const size_t length = CodePointLength(text, 0);
  const auto first = static_cast<unsigned char>(text[0]);
  if (length == 1) return first;
  int64_t code = first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (text[i] & 0x3F);
  return code;
}

arrow::Result<std::string> OfCodePoint(int64_t code) {
  if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    return arrow::Status::Invalid("it is no Unicode code point");
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  std::string text;
  const int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr int kLead[] = {0, 0xC0, 0xE0, 0xF0};
  text += static_cast<char>(kLead[tail] | (code >> (6 * tail)));
  for (int i = tail - 1; i >= 0; --i) text += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
  return text;
}

std::string Sha256Text(std::string_view text) { return Sha256Hex(text); }

bool Like(std::string_view text, std::string_view pattern) {
  return Matches(text, pattern, std::nullopt);
}

arrow::Result<bool> LikeWithEscape(std::string_view text, std::string_view pattern,
                                   std::string_view escape) {
  VIAND_ASSIGN_OR_RETURN(const std::optional<char> letter, EscapeOf(escape));
  return Matches(text, pattern, letter);
}

arrow::Result<bool> ILikeWithEscape(std::string_view text, std::string_view pattern,
                                    std::string_view escape) {
  VIAND_ASSIGN_OR_RETURN(const std::string lower, Lower(text));
  VIAND_ASSIGN_OR_RETURN(const std::string lower_pattern, Lower(pattern));
  return LikeWithEscape(lower, lower_pattern, escape);
}

arrow::Result<std::string> Lower(std::string_view text) {
  if (!IsAscii(text)) return ByKernel("utf8_lower", text);
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower;
}

arrow::Result<std::string> Upper(std::string_view text) {
  if (!IsAscii(text)) return ByKernel("utf8_upper", text);
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return upper;
}

arrow::Result<arrow::Datum> LowerBatch(const BatchCall& call) {
  arrow::compute::ExecContext context(call.pool);
  return arrow::compute::CallFunction("utf8_lower", call.args, &context);
}

arrow::Result<arrow::Datum> UpperBatch(const BatchCall& call) {
  arrow::compute::ExecContext context(call.pool);
  return arrow::compute::CallFunction("utf8_upper", call.args, &context);
}

arrow::Result<arrow::Datum> ILikeBatch(const BatchCall& call) {
  arrow::compute::ExecContext context(call.pool);
  std::vector<arrow::Datum> lower(2);
  for (size_t i = 0; i < 2; ++i) {
    VIAND_ASSIGN_OR_RETURN(lower[i],
                           arrow::compute::CallFunction("utf8_lower", {call.args[i]}, &context));
  }
  return MapBatch<&Like>({call.expression, lower, call.rows, call.pool});
}

arrow::Result<Value> ILikeRow(const Expression& call, std::span<const Value> args) {
  VIAND_ASSIGN_OR_RETURN(const std::string text, Lower(std::get<std::string>(args[0])));
  VIAND_ASSIGN_OR_RETURN(const std::string pattern, Lower(std::get<std::string>(args[1])));
  return Value(Like(text, pattern));
}

arrow::Result<arrow::Datum> RegexpBatch(const BatchCall& call) {
  arrow::compute::ExecContext context(call.pool);
  const auto& pattern = static_cast<const arrow::StringScalar&>(*call.args[1].scalar());
  const arrow::compute::MatchSubstringOptions options{std::string(pattern.view())};
  return arrow::compute::CallFunction("match_substring_regex", {call.args[0]}, &options, &context);
}

arrow::Result<Value> RegexpRow(const Expression& call, std::span<const Value> args) {
  const arrow::compute::MatchSubstringOptions options{std::get<std::string>(args[1])};
  const arrow::Datum text(std::make_shared<arrow::StringScalar>(std::get<std::string>(args[0])));
  VIAND_ASSIGN_OR_RETURN(arrow::Datum result,
                         arrow::compute::CallFunction("match_substring_regex", {text}, &options));
  return Value(static_cast<const arrow::BooleanScalar&>(*result.scalar()).value);
}

arrow::Result<std::string> Concatenate(std::string_view a, std::string_view b) {
  if (a.size() + b.size() > static_cast<size_t>(kValueLimitBytes)) return TooLong();
  std::string text;
  text.reserve(a.size() + b.size());
  return text.append(a).append(b);
}

arrow::Result<arrow::Datum> ConcatBatch(const BatchCall& call) {
  arrow::compute::ExecContext context(call.pool);
  const arrow::Datum empty(std::make_shared<arrow::StringScalar>(""));
  std::vector<arrow::Datum> args;
  for (const arrow::Datum& arg : call.args) {
    // Arrow's join makes a null of a row of nulls even where it skips nulls.
    VIAND_ASSIGN_OR_RETURN(arrow::Datum text,
                           arrow::compute::CallFunction("coalesce", {arg, empty}, &context));
    args.push_back(std::move(text));
  }
  args.push_back(empty);  // the separator
  return arrow::compute::CallFunction("binary_join_element_wise", args, &context);
}

arrow::Result<Value> ConcatRow(const Expression& call, std::span<const Value> args) {
  std::string text;
  for (const Value& arg : args) {
    if (!IsNull(arg)) text += std::get<std::string>(arg);
  }
  return Value(std::move(text));
}

}  // namespace viand::expression
