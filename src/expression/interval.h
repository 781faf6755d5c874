// Intervals as text: units of time, `1 month 2 days`, `36 hours`, `1 day 02:03:04.5`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand::expression {

/// A calendar part, whose length depends on the date it is added to, and a fixed part.
struct Interval {
  int64_t months = 0;
  int64_t us = 0;
};

/// Parts of time that date_trunc, date_diff and extract know, and the units of interval literals.
enum class TimeUnit {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
};

/// Returns the unit of a word (singular, plural or DuckDB's short forms), case-insensitive.
std::optional<TimeUnit> TimeUnitFromName(std::string_view name);

/// Returns the length of a unit up to week in microseconds, 0 for a calendar unit.
int64_t FixedUnitUs(TimeUnit unit);

/// Returns the months of a calendar unit, 0 for a fixed one.
int64_t UnitMonths(TimeUnit unit);

/// Parses an interval's text; `default_unit` counts a bare number. Fails with a reason (no place)
/// on other text, on a fraction of a calendar unit or below a microsecond, and beyond int64.
arrow::Result<Interval> ParseInterval(std::string_view text,
                                      std::optional<TimeUnit> default_unit = std::nullopt);

/// Prints a fixed interval so that ParseInterval reads it back: "90 days", "1 day 12 hours", "0
/// days".
std::string FormatIntervalUnits(int64_t us);

/// Prints an interval as DuckDB casts it to varchar: "3 days 12:00:00", "-00:00:01.5".
std::string FormatInterval(int64_t us);

}  // namespace viand::expression
