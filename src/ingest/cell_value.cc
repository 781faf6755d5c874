#include "src/ingest/cell_value.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "src/common/time.h"

namespace viand::ingest {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kDays1899 =
    -25'569;  // 1899-12-30, serial 0 of the 1900 system from March 1900 on
constexpr int64_t kDays1904 = -24'107;  // 1904-01-01, serial 0 of the 1904 system
constexpr int64_t kPhantomDay =
    60;  // 1900-02-29: Lotus thought that 1900 was a leap year, Excel follows
constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31
// Integers up to here are exact in a double.
constexpr double kExactDouble = 9007199254740992.0;
// An integral double prints its digits up to here, as Excel's 15 do; beyond, the shortest form has
// an exponent.
constexpr double kPlainDouble = 1e15;
constexpr size_t kMaxShownBytes = 80;

bool IsNumberLike(CellKind kind) {
  return kind == CellKind::kNumber || kind == CellKind::kText || kind == CellKind::kUntyped;
}

/// Reads a whole number; `T` is int64_t or uint64_t.
template <typename T>
std::optional<T> ToInteger(const RawCell& cell) {
  if (!IsNumberLike(cell.kind)) return std::nullopt;
  std::string_view text = Trimmed(cell.text());
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop == end && error == std::errc()) return number;
  const std::optional<double> real = ParseDouble(text);
  if (!real || *real != std::trunc(*real)) return std::nullopt;
  // All digits, and yet beyond the type; or a double that may have been rounded.
  if (error == std::errc::result_out_of_range || std::abs(*real) > kExactDouble)
    return std::nullopt;
  if (std::is_unsigned_v<T> && *real < 0) return std::nullopt;
  return static_cast<T>(*real);
}

std::optional<bool> ParseBoolean(std::string_view text) {
  if (text == "1") return true;
  if (text == "0") return false;
  std::string folded(text.substr(0, 6));
  for (char& c : folded) c |= 0x20;
  if (folded == "true") return true;
  if (folded == "false") return false;
  return std::nullopt;
}

/// Tells what a boolean cell says, which Excel writes as 1 and others as true.
bool IsTrue(const RawCell& cell) { return cell.text() == "1" || cell.text() == "true"; }

std::optional<int64_t> ParseIsoTime(std::string_view text) {
  // The shortest is 2011-03-01; asking for its hyphens first keeps ordinary text off the slow path
  // of an error.
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const arrow::Result<int64_t> time = ParseTimestampUs(text);
  if (!time.ok()) return std::nullopt;
  return *time;
}

std::optional<std::string_view> NumberToText(std::string_view text, std::string* scratch) {
  if (IsPlainInteger(text)) return text;
  const std::optional<double> number = ParseDouble(text);
  if (!number) return std::nullopt;
  const bool integral = *number == std::trunc(*number) && std::abs(*number) < kPlainDouble;
  *scratch =
      integral ? fmt::format("{}", static_cast<int64_t>(*number)) : fmt::format("{}", *number);
  return *scratch;
}

std::optional<int64_t> SerialCellToUs(const RawCell& cell) {
  const std::optional<double> serial = ParseDouble(Trimmed(cell.text()));
  if (!serial) return std::nullopt;
  return SerialToUs(*serial, cell.kind == CellKind::kDateSerial1904);
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

bool IsPlainInteger(std::string_view text) {
  if (text.empty() || text == "-0") return false;
  if (text[0] == '-') text.remove_prefix(1);
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return false;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = fast_float::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  // fast_float gives infinity for what is too large; only a text that says so may mean it.
  if (std::isinf(number) && text.find_first_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return number;
}

std::optional<int64_t> CellToInteger(const RawCell& cell) { return ToInteger<int64_t>(cell); }
std::optional<uint64_t> CellToUnsigned(const RawCell& cell) { return ToInteger<uint64_t>(cell); }

std::optional<double> CellToDouble(const RawCell& cell) {
  if (!IsNumberLike(cell.kind)) return std::nullopt;
  return ParseDouble(Trimmed(cell.text()));
}

std::optional<bool> CellToBoolean(const RawCell& cell) {
  if (cell.kind != CellKind::kBoolean && !IsNumberLike(cell.kind)) return std::nullopt;
  return ParseBoolean(Trimmed(cell.text()));
}

std::optional<int64_t> SerialToUs(double serial, bool date1904) {
  // Written so that NaN fails, and far from what the product could overflow.
  if (!(serial >= 0 && serial < 3e6)) return std::nullopt;
  const auto seconds = static_cast<int64_t>(std::llround(serial * kSecondsPerDay));
  int64_t day = seconds / kSecondsPerDay;
  if (date1904) {
    day += kDays1904;
  } else if (day == kPhantomDay) {
    return std::nullopt;
  } else {
    day += kDays1899 + (day < kPhantomDay ? 1 : 0);
  }
  if (day > kLastDay) return std::nullopt;
  return (day * kSecondsPerDay + seconds % kSecondsPerDay) * kMicrosPerSecond;
}

std::optional<int64_t> CellToTimestampUs(const RawCell& cell) {
  switch (cell.kind) {
    case CellKind::kDateSerial:
    case CellKind::kDateSerial1904:
    case CellKind::kNumber:
      return SerialCellToUs(cell);
    case CellKind::kIsoTime:
    case CellKind::kText:
    case CellKind::kUntyped:
      return ParseIsoTime(Trimmed(cell.text()));
    default:
      return std::nullopt;
  }
}

std::optional<int32_t> CellToDate(const RawCell& cell) {
  const std::optional<int64_t> us = CellToTimestampUs(cell);
  if (!us || *us % kMicrosPerDay != 0) return std::nullopt;
  return static_cast<int32_t>(*us / kMicrosPerDay);
}

std::optional<std::string_view> CellToText(const RawCell& cell, std::string* scratch) {
  switch (cell.kind) {
    case CellKind::kText:
    case CellKind::kUntyped:
    case CellKind::kIsoTime:
      return cell.text();
    case CellKind::kNumber:
      return NumberToText(cell.text(), scratch);
    case CellKind::kBoolean:
      return IsTrue(cell) ? "TRUE" : "FALSE";
    case CellKind::kDateSerial:
    case CellKind::kDateSerial1904: {
      const std::optional<int64_t> us = SerialCellToUs(cell);
      if (!us) return std::nullopt;
      *scratch = FormatTimestamp(*us);
      return *scratch;
    }
    default:
      return std::nullopt;
  }
}

std::string DescribeCell(const RawCell& cell) {
  std::string text(cell.text().substr(0, kMaxShownBytes));
  if (cell.size > kMaxShownBytes) {
    while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && (text.back() & 0x80)) text.pop_back();
    text += "...";
  }
  switch (cell.kind) {
    case CellKind::kNull:
      return "nothing";
    case CellKind::kNumber:
      return "number " + text;
    case CellKind::kDateSerial:
    case CellKind::kDateSerial1904: {
      std::string scratch;
      const auto shown = CellToText(cell, &scratch);
      return shown ? fmt::format("date {}", *shown) : fmt::format("date serial {}", text);
    }
    case CellKind::kIsoTime:
      return "date " + text;
    case CellKind::kText:
    case CellKind::kUntyped:
      return fmt::format("text \"{}\"", text);
    case CellKind::kBoolean:
      return IsTrue(cell) ? "boolean TRUE" : "boolean FALSE";
    case CellKind::kError:
      return "error " + text;
    case CellKind::kFormula:
      return "a formula without a computed value";
    case CellKind::kNested:
      return "nested " + text;
  }
  return text;
}

std::string HintOfMisfit(const RawCell& cell) {
  constexpr std::string_view kOnError =
      "set on_error: skip (leaves the row out) or null (empties the cell)";
  switch (cell.kind) {
    case CellKind::kError:
    case CellKind::kNested:
      return std::string(kOnError);
    case CellKind::kFormula:
      return fmt::format("open the workbook in Excel or LibreOffice and save it, or {}", kOnError);
    default:
      return fmt::format("declare the column varchar, or {}", kOnError);
  }
}

}  // namespace viand::ingest
