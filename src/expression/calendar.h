// The proleptic Gregorian calendar on microseconds and days since 1970-01-01, over the whole range
// of int64.
#pragma once

#include <cstdint>
#include <string>

#include "src/common/error.h"
#include "src/expression/interval.h"

namespace viand::expression {

struct CivilDate {
  int64_t year;
  int month;  ///< 1 to 12
  int day;    ///< 1 to 31
};

int64_t FloorDivide(int64_t a, int64_t b);
int64_t FloorModulo(int64_t a, int64_t b);

CivilDate CivilOfDays(int64_t days);
int64_t DaysOfCivil(const CivilDate& date);
int DaysOfMonth(int64_t year, int month);

inline int64_t DaysOfUs(int64_t us) { return FloorDivide(us, 86'400'000'000); }

/// Adds months, clipping the day to the month's end; fails beyond int64.
arrow::Result<int64_t> AddMonths(int64_t us, int64_t months);

/// Rounds a time down to the start of its unit; fails where that lies beyond int64.
arrow::Result<int64_t> TruncateTime(int64_t us, TimeUnit unit);

/// Counts the borders of the unit between two times: DuckDB's date_diff.
int64_t BordersBetween(int64_t from_us, int64_t to_us, TimeUnit unit);

/// ISO 8601 week: 1 to 53.
int64_t IsoWeekOf(int64_t us);

/// Prints "2011-03-01", and "2011-03-01 08:26:00[.5]" as DuckDB casts them to varchar.
std::string FormatDate(int64_t days);
std::string FormatTime(int64_t us);

}  // namespace viand::expression
