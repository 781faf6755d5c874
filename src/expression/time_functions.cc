#include "src/expression/time_functions.h"

#include <cmath>

#include "src/common/time.h"
#include "src/expression/calendar.h"

namespace viand::expression {
namespace {

constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;

CivilDate DateOf(int64_t us) { return CivilOfDays(DaysOfUs(us)); }

/// Rounds to a whole number of microseconds.
arrow::Result<int64_t> WholeMicros(double us) {
  const double rounded = std::nearbyint(us);
  // 2^63 is a double, INT64_MAX is not.
  if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return arrow::Status::Invalid("out of range");
  return static_cast<int64_t>(rounded);
}

arrow::Result<TimeUnit> UnitOf(std::string_view part) {
  const std::optional<TimeUnit> unit = TimeUnitFromName(part);
  if (!unit) return arrow::Status::Invalid("unknown part of time");
  return *unit;
}

}  // namespace

int64_t YearOf(int64_t us) { return DateOf(us).year; }
int64_t QuarterOf(int64_t us) { return (DateOf(us).month - 1) / 3 + 1; }
int64_t MonthOf(int64_t us) { return DateOf(us).month; }
int64_t WeekOf(int64_t us) { return IsoWeekOf(us); }
int64_t DayOf(int64_t us) { return DateOf(us).day; }
int64_t DayOfYear(int64_t us) { return DaysOfUs(us) - DaysOfCivil({YearOf(us), 1, 1}) + 1; }
int64_t DayOfWeek(int64_t us) { return FloorModulo(DaysOfUs(us) + 4, 7); }
int64_t IsoDayOfWeek(int64_t us) { return FloorModulo(DaysOfUs(us) + 3, 7) + 1; }
int64_t HourOf(int64_t us) { return FloorModulo(us, kMicrosPerDay) / kMicrosPerHour; }
int64_t MinuteOf(int64_t us) { return FloorModulo(us, kMicrosPerHour) / kMicrosPerMinute; }
int64_t SecondOf(int64_t us) { return FloorModulo(us, kMicrosPerMinute) / kMicrosPerSecond; }
int64_t MillisecondOf(int64_t us) { return FloorModulo(us, kMicrosPerMinute) / 1000; }
int64_t MicrosecondOf(int64_t us) { return FloorModulo(us, kMicrosPerMinute); }
double EpochOf(int64_t us) { return static_cast<double>(us) / 1e6; }
int64_t EpochMs(int64_t us) { return FloorDivide(us, 1000); }
int64_t EpochUs(int64_t us) { return us; }

arrow::Result<int64_t> DateTrunc(std::string_view part, int64_t us) {
  VIAND_ASSIGN_OR_RETURN(const TimeUnit unit, UnitOf(part));
  return TruncateTime(us, unit);
}

arrow::Result<int64_t> DateDiff(std::string_view part, int64_t from_us, int64_t to_us) {
  VIAND_ASSIGN_OR_RETURN(const TimeUnit unit, UnitOf(part));
  if (unit == TimeUnit::kMicrosecond) {
    int64_t difference = 0;
    if (__builtin_sub_overflow(to_us, from_us, &difference)) {
      return arrow::Status::Invalid("integer overflow");
    }
    return difference;
  }
  return BordersBetween(from_us, to_us, unit);
}

arrow::Result<int64_t> MakeDate(int64_t year, int64_t month, int64_t day) {
  // Dates are days in 32 bits: about 5.8 million years either way.
  constexpr int64_t kYearLimit = 5'800'000;
  if (year > kYearLimit || year < -kYearLimit || month < 1 || month > 12 || day < 1 ||
      day > DaysOfMonth(year, static_cast<int>(month))) {
    return arrow::Status::Invalid("there is no such date");
  }
  return DaysOfCivil({year, static_cast<int>(month), static_cast<int>(day)});
}

arrow::Result<int64_t> MakeTimestamp(int64_t year, int64_t month, int64_t day, int64_t hour,
                                     int64_t minute, double second) {
  VIAND_ASSIGN_OR_RETURN(const int64_t days, MakeDate(year, month, day));
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || !(second >= 0 && second < 60)) {
    return arrow::Status::Invalid("there is no such time");
  }
  const __int128 us = static_cast<__int128>(days) * kMicrosPerDay + hour * kMicrosPerHour +
                      minute * kMicrosPerMinute + std::llround(second * 1e6);
  if (us > INT64_MAX || us < INT64_MIN) return arrow::Status::Invalid("out of range");
  return static_cast<int64_t>(us);
}

int64_t TimestampOfUs(int64_t us) { return us; }
arrow::Result<int64_t> TimestampOfSeconds(double seconds) { return WholeMicros(seconds * 1e6); }

int64_t FloorDays(int64_t interval_us) { return FloorDivide(interval_us, kMicrosPerDay); }
double DaysIn(int64_t interval_us) { return static_cast<double>(interval_us) / kMicrosPerDay; }
double HoursIn(int64_t interval_us) { return static_cast<double>(interval_us) / kMicrosPerHour; }
double MinutesIn(int64_t interval_us) {
  return static_cast<double>(interval_us) / kMicrosPerMinute;
}
double SecondsIn(int64_t interval_us) {
  return static_cast<double>(interval_us) / kMicrosPerSecond;
}

arrow::Result<int64_t> AddMonthsTo(int64_t us, int64_t months) { return AddMonths(us, months); }
arrow::Result<int64_t> SubtractMonthsFrom(int64_t us, int64_t months) {
  return AddMonths(us, -months);
}

arrow::Result<int64_t> ScaleInterval(int64_t us, double factor) {
  return WholeMicros(static_cast<double>(us) * factor);
}

arrow::Result<int64_t> DivideInterval(int64_t us, double divisor) {
  if (divisor == 0)
    return MakeError(ErrorKind::kInput, "division by zero", "divide by nullif(x, 0) for a null");
  return WholeMicros(static_cast<double>(us) / divisor);
}

}  // namespace viand::expression
