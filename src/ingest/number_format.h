// Which number formats of a workbook show a date or a time. In xlsx a date is a number; its format
// alone tells.
#pragma once

#include <string_view>

namespace viand::ingest {

/// Tells whether a built-in format (ECMA-376 part 1, 18.8.30, the East Asian ones included) shows a
/// date or time.
bool IsBuiltinDateFormat(int id);

/// Tells whether a format code has date letters outside quotes, brackets and escapes: "m/d/yyyy
/// h:mm" has, "0.00
/// \"days\"" and "[Red]0" have not, "[h]:mm" has. Only the first section counts, the one of
/// positive numbers.
bool IsDateFormatCode(std::string_view code);

}  // namespace viand::ingest
