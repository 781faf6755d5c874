#include "src/expression/calendar.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/common/time.h"

namespace viand::expression {
namespace {

// Eras of 400 years repeat exactly; years start in March so that the leap day is the last.
constexpr int64_t kDaysPerEra = 146'097;
constexpr int64_t kDaysToEpoch = 719'468;  // from 0000-03-01 to 1970-01-01

arrow::Result<int64_t> UsOfDays(int64_t days, int64_t rest_us) {
  const __int128 us = static_cast<__int128>(days) * kMicrosPerDay + rest_us;
  if (us > INT64_MAX || us < INT64_MIN) return arrow::Status::Invalid("the time is out of range");
  return static_cast<int64_t>(us);
}

int64_t MonthsOf(int64_t us) {
  const CivilDate date = CivilOfDays(DaysOfUs(us));
  return date.year * 12 + date.month - 1;
}

}  // namespace

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }
int64_t FloorModulo(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

CivilDate CivilOfDays(int64_t days) {
  const int64_t shifted = days + kDaysToEpoch;
  const int64_t era = FloorDivide(shifted, kDaysPerEra);
  const int64_t day_of_era = FloorModulo(shifted, kDaysPerEra);
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  const int day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

int64_t DaysOfCivil(const CivilDate& date) {
  const int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const int64_t era = FloorDivide(year, 400);
  const int64_t year_of_era = FloorModulo(year, 400);
  const int64_t march_month = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t day_of_year = (153 * march_month + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysToEpoch;
}

int DaysOfMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

arrow::Result<int64_t> AddMonths(int64_t us, int64_t months) {
  // Farther than any int64 time reaches; keeps the sums below small.
  constexpr int64_t kMonthsLimit = 12'000'000;
  if (months > kMonthsLimit || months < -kMonthsLimit) {
    return arrow::Status::Invalid("the time is out of range");
  }
  const int64_t days = DaysOfUs(us);
  CivilDate date = CivilOfDays(days);
  const int64_t month = date.year * 12 + date.month - 1 + months;
  date.year = FloorDivide(month, 12);
  date.month = static_cast<int>(FloorModulo(month, 12)) + 1;
  date.day = std::min(date.day, DaysOfMonth(date.year, date.month));
  return UsOfDays(DaysOfCivil(date), FloorModulo(us, kMicrosPerDay));
}

arrow::Result<int64_t> TruncateTime(int64_t us, TimeUnit unit) {
  const int64_t fixed = FixedUnitUs(unit);
  if (unit == TimeUnit::kWeek) {
    const int64_t days = DaysOfUs(us);
    return UsOfDays(days - FloorModulo(days + 3, 7), 0);  // 1970-01-01 was a Thursday
  }
  if (fixed != 0) {
    int64_t start = 0;
    if (__builtin_sub_overflow(us, FloorModulo(us, fixed), &start)) {
      return arrow::Status::Invalid("the time is out of range");
    }
    return start;
  }
  const int64_t span = UnitMonths(unit);
  const int64_t month = FloorDivide(MonthsOf(us), span) * span;
  return UsOfDays(
      DaysOfCivil({FloorDivide(month, 12), static_cast<int>(FloorModulo(month, 12)) + 1, 1}), 0);
}

int64_t BordersBetween(int64_t from_us, int64_t to_us, TimeUnit unit) {
  if (unit == TimeUnit::kWeek) {
    return FloorDivide(DaysOfUs(to_us) + 3, 7) - FloorDivide(DaysOfUs(from_us) + 3, 7);
  }
  const int64_t fixed = FixedUnitUs(unit);
  if (fixed != 0) return FloorDivide(to_us, fixed) - FloorDivide(from_us, fixed);
  const int64_t span = UnitMonths(unit);
  return FloorDivide(MonthsOf(to_us), span) - FloorDivide(MonthsOf(from_us), span);
}

int64_t IsoWeekOf(int64_t us) {
  // The week belongs to the year of its Thursday.
  const int64_t days = DaysOfUs(us);
  const int64_t thursday = days - FloorModulo(days + 3, 7) + 3;
  return (thursday - DaysOfCivil({CivilOfDays(thursday).year, 1, 1})) / 7 + 1;
}

std::string FormatDate(int64_t days) {
  const CivilDate date = CivilOfDays(days);
  if (date.year > 0) return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
  return fmt::format("{:04}-{:02}-{:02} (BC)", 1 - date.year, date.month, date.day);
}

std::string FormatTime(int64_t us) {
  const int64_t rest = FloorModulo(us, kMicrosPerDay);
  const int64_t seconds = rest / kMicrosPerSecond;
  std::string text = fmt::format("{} {:02}:{:02}:{:02}", FormatDate(DaysOfUs(us)), seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);
  if (rest % kMicrosPerSecond != 0) {
    text += fmt::format(".{:06}", rest % kMicrosPerSecond);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

}  // namespace viand::expression
