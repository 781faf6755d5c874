#include "src/common/time.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>

namespace viand {
namespace {

struct Unit {
  std::string_view name;
  int64_t us;
};
// Longest names first, so that "ms" is not read as minutes.
constexpr std::array<Unit, 7> kUnits = {{{"us", 1},
                                         {"ms", 1'000},
                                         {"s", kMicrosPerSecond},
                                         {"m", 60 * kMicrosPerSecond},
                                         {"h", 3600 * kMicrosPerSecond},
                                         {"d", kMicrosPerDay},
                                         {"w", 7 * kMicrosPerDay}}};

arrow::Status BadDuration(std::string_view text) {
  return MakeError(ErrorKind::kDefinition, fmt::format("\"{}\" is not a duration", text),
                   "write a number and a unit, such as 90d, 36h, 1d12h, 15m, 30s, 250ms, 2w");
}

arrow::Status BadTimestamp(std::string_view text) {
  return MakeError(ErrorKind::kInput, fmt::format("\"{}\" is not a time", text),
                   "write it as 2011-03-01, 2011-03-01 08:26:00 or 2011-03-01T08:26:00Z");
}

/// Reads exactly `digits` decimal digits off the front of `text`.
bool TakeNumber(std::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

/// Reads ".123456"; digits past the sixth must be zeros, for nothing may be lost.
bool TakeFraction(std::string_view* text, int64_t* us) {
  int64_t scale = 100'000;
  size_t count = 0;
  for (; count < text->size() && std::isdigit(static_cast<unsigned char>((*text)[count]));
       ++count) {
    const int digit = (*text)[count] - '0';
    if (scale == 0 && digit != 0) return false;
    *us += digit * scale;
    scale /= 10;
  }
  text->remove_prefix(count);
  return count > 0;
}

bool TakeTimeOfDay(std::string_view* text, int64_t* us) {
  int hour = 0, minute = 0, second = 0;
  if (!TakeNumber(text, 2, &hour) || !TakeChar(text, ':') || !TakeNumber(text, 2, &minute))
    return false;
  if (TakeChar(text, ':')) {
    if (!TakeNumber(text, 2, &second)) return false;
    if (TakeChar(text, '.') && !TakeFraction(text, us)) return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *us += ((hour * 60LL + minute) * 60 + second) * kMicrosPerSecond;
  return true;
}

bool TakeZone(std::string_view* text, int64_t* offset_us) {
  if (text->empty() || TakeChar(text, 'Z')) return true;
  const bool negative = text->front() == '-';
  if (!negative && text->front() != '+') return false;
  text->remove_prefix(1);
  int hour = 0, minute = 0;
  if (!TakeNumber(text, 2, &hour)) return false;
  TakeChar(text, ':');
  if (!text->empty() && !TakeNumber(text, 2, &minute)) return false;
  if (hour > 23 || minute > 59) return false;
  *offset_us = (hour * 60LL + minute) * 60 * kMicrosPerSecond * (negative ? -1 : 1);
  return true;
}

}  // namespace

arrow::Result<int64_t> ParseDurationUs(std::string_view text) {
  std::string_view rest = text;
  int64_t total = 0;
  bool any = false;
  while (!rest.empty()) {
    int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc() || count < 0) return BadDuration(text);
    rest.remove_prefix(end - rest.data());
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (rest.starts_with(candidate.name)) {
        unit = &candidate;
        break;
      }
    }
    int64_t part = 0;
    if (unit == nullptr || __builtin_mul_overflow(count, unit->us, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return BadDuration(text);
    }
    rest.remove_prefix(unit->name.size());
    any = true;
  }
  if (!any) return BadDuration(text);
  return total;
}

std::string FormatDuration(int64_t duration_us) {
  if (duration_us == 0) return "0d";
  std::string text = duration_us < 0 ? "-" : "";
  uint64_t rest = duration_us < 0 ? 0 - static_cast<uint64_t>(duration_us) : duration_us;
  for (std::string_view name : {"d", "h", "m", "s", "ms", "us"}) {
    for (const Unit& unit : kUnits) {
      if (unit.name != name || rest < static_cast<uint64_t>(unit.us)) continue;
      text += fmt::format("{}{}", rest / unit.us, name);
      rest %= unit.us;
    }
  }
  return text;
}

arrow::Result<int64_t> ParseTimestampUs(std::string_view text) {
  std::string_view rest = text;
  int year = 0, month = 0, day = 0;
  if (!TakeNumber(&rest, 4, &year) || !TakeChar(&rest, '-') || !TakeNumber(&rest, 2, &month) ||
      !TakeChar(&rest, '-') || !TakeNumber(&rest, 2, &day)) {
    return BadTimestamp(text);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (year < 1 || !date.ok()) return BadTimestamp(text);
  int64_t us = std::chrono::sys_days(date).time_since_epoch().count() * kMicrosPerDay;
  int64_t offset_us = 0;
  if (!rest.empty()) {
    if (!TakeChar(&rest, 'T') && !TakeChar(&rest, ' ')) return BadTimestamp(text);
    if (!TakeTimeOfDay(&rest, &us) || !TakeZone(&rest, &offset_us) || !rest.empty()) {
      return BadTimestamp(text);
    }
  }
  return us - offset_us;
}

std::string FormatTimestamp(int64_t time_us) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::microseconds> time{chrono::microseconds(time_us)};
  const auto days = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(days);
  const chrono::hh_mm_ss<chrono::microseconds> clock(time - days);
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const int64_t fraction = clock.subseconds().count();
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  return text;
}

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace viand
