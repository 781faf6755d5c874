// Functions on times and intervals, as plain functions of values: times and intervals are
// microseconds, dates are days.
#pragma once

#include <cstdint>

#include "src/common/error.h"
#include "src/expression/function_table.h"

namespace viand::expression {

int64_t YearOf(int64_t us);
int64_t QuarterOf(int64_t us);
int64_t MonthOf(int64_t us);
int64_t WeekOf(int64_t us);
int64_t DayOf(int64_t us);
int64_t DayOfYear(int64_t us);
int64_t DayOfWeek(int64_t us);     ///< Sunday is 0
int64_t IsoDayOfWeek(int64_t us);  ///< Monday is 1, Sunday 7
int64_t HourOf(int64_t us);
int64_t MinuteOf(int64_t us);
int64_t SecondOf(int64_t us);
int64_t MillisecondOf(int64_t us);  ///< of the minute, as in DuckDB
int64_t MicrosecondOf(int64_t us);  ///< of the minute
double EpochOf(int64_t us);         ///< seconds
int64_t EpochMs(int64_t us);
int64_t EpochUs(int64_t us);

arrow::Result<int64_t> DateTrunc(std::string_view part, int64_t us);
arrow::Result<int64_t> DateDiff(std::string_view part, int64_t from_us, int64_t to_us);

arrow::Result<int64_t> MakeDate(int64_t year, int64_t month, int64_t day);
arrow::Result<int64_t> MakeTimestamp(int64_t year, int64_t month, int64_t day, int64_t hour,
                                     int64_t minute, double second);
int64_t TimestampOfUs(int64_t us);
arrow::Result<int64_t> TimestampOfSeconds(double seconds);

int64_t FloorDays(int64_t interval_us);
double DaysIn(int64_t interval_us);
double HoursIn(int64_t interval_us);
double MinutesIn(int64_t interval_us);
double SecondsIn(int64_t interval_us);

arrow::Result<int64_t> AddMonthsTo(int64_t us, int64_t months);
arrow::Result<int64_t> SubtractMonthsFrom(int64_t us, int64_t months);
arrow::Result<int64_t> ScaleInterval(int64_t us, double factor);
arrow::Result<int64_t> DivideInterval(int64_t us, double divisor);

}  // namespace viand::expression
