// What one cell means as a value of a type: the rules that every format shares. A cell that does
// not fit is nullopt. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/ingest/cell_table.h"

namespace viand::ingest {

/// An integral number, or text that is one ("12", " 12 ", "12.0", "1e3"); exact, never rounded
/// through a double.
std::optional<int64_t> CellToInteger(const RawCell& cell);
/// As CellToInteger, for values up to 2^64 - 1.
std::optional<uint64_t> CellToUnsigned(const RawCell& cell);
/// A number, or text that is one.
std::optional<double> CellToDouble(const RawCell& cell);
/// A boolean, the numbers 0 and 1, the texts true, false, 1, 0 in any case.
std::optional<bool> CellToBoolean(const RawCell& cell);
/// A date serial, a plain number read as one, or ISO text; microseconds since 1970, UTC. Serials
/// are rounded to the second, as Excel shows them.
std::optional<int64_t> CellToTimestampUs(const RawCell& cell);
/// A date without time of day; days since 1970.
std::optional<int32_t> CellToDate(const RawCell& cell);
/// A text as it is; an integer by its digits, however many, another integral number without a
/// point, the rest by their shortest digits; TRUE,
/// FALSE; a date as ISO text. The result may point into the cell or into `scratch`.
std::optional<std::string_view> CellToText(const RawCell& cell, std::string* scratch);

/// Returns the time that Excel shows for a serial day, rounded to the second. Nullopt: negative,
/// beyond the year 9999, or the 29th of February 1900, which was not (serial 60 of the 1900
/// system).
std::optional<int64_t> SerialToUs(double serial, bool date1904);

/// Parses the number of a cell; nullopt where the text is none, or beyond double.
std::optional<double> ParseDouble(std::string_view text);

/// Tells whether a number's text is what an integer prints as: "0", "-12", of any length, no sign
/// but minus, no leading zero.
bool IsPlainInteger(std::string_view text);

/// Drops blanks at both ends.
std::string_view Trimmed(std::string_view text);

/// How a cell reads in an error: `text "abc"`, `number 1.5`, `error #N/A`, `date 2011-12-01
/// 08:26:00`.
std::string DescribeCell(const RawCell& cell);

/// What to do about a cell that does not fit its column.
std::string HintOfMisfit(const RawCell& cell);

}  // namespace viand::ingest
