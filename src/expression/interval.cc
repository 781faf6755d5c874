#include "src/expression/interval.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "src/common/time.h"
#include "src/expression/lexer.h"

namespace viand::expression {
namespace {

constexpr std::array<std::pair<std::string_view, TimeUnit>, 42> kUnitNames = {{
    {"microsecond", TimeUnit::kMicrosecond},
    {"microseconds", TimeUnit::kMicrosecond},
    {"us", TimeUnit::kMicrosecond},
    {"usec", TimeUnit::kMicrosecond},
    {"usecs", TimeUnit::kMicrosecond},
    {"millisecond", TimeUnit::kMillisecond},
    {"milliseconds", TimeUnit::kMillisecond},
    {"ms", TimeUnit::kMillisecond},
    {"msec", TimeUnit::kMillisecond},
    {"msecs", TimeUnit::kMillisecond},
    {"second", TimeUnit::kSecond},
    {"seconds", TimeUnit::kSecond},
    {"sec", TimeUnit::kSecond},
    {"secs", TimeUnit::kSecond},
    {"s", TimeUnit::kSecond},
    {"minute", TimeUnit::kMinute},
    {"minutes", TimeUnit::kMinute},
    {"min", TimeUnit::kMinute},
    {"mins", TimeUnit::kMinute},
    {"m", TimeUnit::kMinute},
    {"hour", TimeUnit::kHour},
    {"hours", TimeUnit::kHour},
    {"hr", TimeUnit::kHour},
    {"hrs", TimeUnit::kHour},
    {"h", TimeUnit::kHour},
    {"day", TimeUnit::kDay},
    {"days", TimeUnit::kDay},
    {"d", TimeUnit::kDay},
    {"week", TimeUnit::kWeek},
    {"weeks", TimeUnit::kWeek},
    {"w", TimeUnit::kWeek},
    {"month", TimeUnit::kMonth},
    {"months", TimeUnit::kMonth},
    {"mon", TimeUnit::kMonth},
    {"quarter", TimeUnit::kQuarter},
    {"quarters", TimeUnit::kQuarter},
    {"year", TimeUnit::kYear},
    {"years", TimeUnit::kYear},
    {"y", TimeUnit::kYear},
    {"decade", TimeUnit::kDecade},
    {"decades", TimeUnit::kDecade},
    {"century", TimeUnit::kCentury},
}};

arrow::Status Bad(std::string_view text, std::string_view why) {
  return arrow::Status::Invalid(fmt::format("'{}' is not an interval: {}", text, why));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// A decimal number read off a text: sign, integral part, and the fraction in billionths.
struct Number {
  bool negative = false;
  int64_t whole = 0;
  int64_t billionths = 0;
};

class IntervalParser {
 public:
  IntervalParser(std::string_view text, std::optional<TimeUnit> default_unit)
      : text_(text), rest_(text), default_unit_(default_unit) {}

  arrow::Result<Interval> Run() {
    SkipSpaces();
    if (rest_.empty()) return Bad(text_, "it is empty");
    while (!rest_.empty()) {
      VIAND_RETURN_NOT_OK(Part());
      SkipSpaces();
    }
    return total_;
  }

 private:
  void SkipSpaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  arrow::Result<Number> TakeNumber() {
    Number number;
    if (rest_.starts_with('-') || rest_.starts_with('+')) {
      number.negative = rest_.front() == '-';
      rest_.remove_prefix(1);
    }
    if (rest_.empty() || !IsDigit(rest_.front())) return Bad(text_, "expected a number and a unit");
    for (; !rest_.empty() && IsDigit(rest_.front()); rest_.remove_prefix(1)) {
      if (__builtin_mul_overflow(number.whole, int64_t{10}, &number.whole) ||
          __builtin_add_overflow(number.whole, int64_t{rest_.front() - '0'}, &number.whole)) {
        return Bad(text_, "the number is too large");
      }
    }
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      for (int64_t scale = 100'000'000; !rest_.empty() && IsDigit(rest_.front());
           scale /= 10, rest_.remove_prefix(1)) {
        if (scale == 0 && rest_.front() != '0') return Bad(text_, "the fraction is too fine");
        number.billionths += scale * (rest_.front() - '0');
      }
    }
    return number;
  }

  arrow::Status Part() {
    VIAND_ASSIGN_OR_RETURN(const Number number, TakeNumber());
    if (rest_.starts_with(':')) return TimeOfDay(number);
    SkipSpaces();
    size_t length = 0;
    while (length < rest_.size() && rest_[length] >= 'A') ++length;
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    const std::optional<TimeUnit> unit = word.empty() ? default_unit_ : TimeUnitFromName(word);
    if (!unit) {
      return Bad(text_, word.empty() ? "a number lacks its unit"
                                     : fmt::format("unknown unit \"{}\"", word));
    }
    return Add(number, *unit);
  }

  arrow::Status Add(const Number& number, TimeUnit unit) {
    const int64_t months = UnitMonths(unit);
    if (months != 0) {
      if (number.billionths != 0) return Bad(text_, "a month or a year has no exact fraction");
      int64_t count = 0;
      if (__builtin_mul_overflow(number.whole, number.negative ? -months : months, &count) ||
          __builtin_add_overflow(total_.months, count, &total_.months)) {
        return Bad(text_, "it is too long");
      }
      return arrow::Status::OK();
    }
    const __int128 us = FixedUnitUs(unit);
    const __int128 fraction = us * number.billionths;
    if (fraction % 1'000'000'000 != 0) return Bad(text_, "it is finer than a microsecond");
    return AddUs((us * number.whole + fraction / 1'000'000'000) * (number.negative ? -1 : 1));
  }

  arrow::Status AddUs(__int128 us) {
    const __int128 sum = us + total_.us;
    if (sum > INT64_MAX || sum < INT64_MIN) return Bad(text_, "it is too long");
    total_.us = static_cast<int64_t>(sum);
    return arrow::Status::OK();
  }

  /// Reads ":mm[:ss[.f]]" after the hours.
  arrow::Status TimeOfDay(const Number& hours) {
    if (hours.billionths != 0) return Bad(text_, "expected hours:minutes:seconds");
    rest_.remove_prefix(1);
    VIAND_ASSIGN_OR_RETURN(const Number minutes, TakeNumber());
    Number seconds;
    if (rest_.starts_with(':')) {
      rest_.remove_prefix(1);
      VIAND_ASSIGN_OR_RETURN(seconds, TakeNumber());
    }
    if (minutes.negative || minutes.billionths != 0 || minutes.whole > 59 || seconds.negative ||
        seconds.whole > 59) {
      return Bad(text_, "expected hours:minutes:seconds");
    }
    if (seconds.billionths % 1000 != 0) return Bad(text_, "it is finer than a microsecond");
    const __int128 us =
        ((static_cast<__int128>(hours.whole) * 60 + minutes.whole) * 60 + seconds.whole) *
            kMicrosPerSecond +
        seconds.billionths / 1000;
    return AddUs(hours.negative ? -us : us);
  }

  std::string_view text_;
  std::string_view rest_;
  std::optional<TimeUnit> default_unit_;
  Interval total_;
};

}  // namespace

std::optional<TimeUnit> TimeUnitFromName(std::string_view name) {
  const std::string lower = LowerAscii(name);
  for (const auto& [word, unit] : kUnitNames) {
    if (lower == word) return unit;
  }
  return std::nullopt;
}

int64_t FixedUnitUs(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return 1;
    case TimeUnit::kMillisecond:
      return 1000;
    case TimeUnit::kSecond:
      return kMicrosPerSecond;
    case TimeUnit::kMinute:
      return 60 * kMicrosPerSecond;
    case TimeUnit::kHour:
      return 3600 * kMicrosPerSecond;
    case TimeUnit::kDay:
      return kMicrosPerDay;
    case TimeUnit::kWeek:
      return 7 * kMicrosPerDay;
    default:
      return 0;
  }
}

int64_t UnitMonths(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMonth:
      return 1;
    case TimeUnit::kQuarter:
      return 3;
    case TimeUnit::kYear:
      return 12;
    case TimeUnit::kDecade:
      return 120;
    case TimeUnit::kCentury:
      return 1200;
    default:
      return 0;
  }
}

arrow::Result<Interval> ParseInterval(std::string_view text, std::optional<TimeUnit> default_unit) {
  return IntervalParser(text, default_unit).Run();
}

std::string FormatIntervalUnits(int64_t us) {
  if (us == 0) return "0 days";
  constexpr std::array<std::pair<std::string_view, int64_t>, 5> kParts = {
      {{"day", kMicrosPerDay},
       {"hour", 3600 * kMicrosPerSecond},
       {"minute", 60 * kMicrosPerSecond},
       {"second", kMicrosPerSecond},
       {"microsecond", 1}}};
  std::string text;
  for (const auto& [name, unit_us] : kParts) {
    const int64_t count = us / unit_us;
    if (count == 0) continue;
    us -= count * unit_us;
    text += fmt::format("{}{} {}{}", text.empty() ? "" : " ", count, name,
                        count == 1 || count == -1 ? "" : "s");
  }
  return text;
}

std::string FormatInterval(int64_t us) {
  const int64_t days = us / kMicrosPerDay;
  const int64_t rest = us % kMicrosPerDay;
  std::string text;
  if (days != 0) text = fmt::format("{} day{}", days, days == 1 || days == -1 ? "" : "s");
  if (rest == 0 && days != 0) return text;
  const int64_t size = rest < 0 ? -rest : rest;
  const int64_t seconds = size / kMicrosPerSecond;
  text += fmt::format("{}{}{:02}:{:02}:{:02}", text.empty() ? "" : " ", rest < 0 ? "-" : "",
                      seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (size % kMicrosPerSecond != 0) {
    text += fmt::format(".{:06}", size % kMicrosPerSecond);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

}  // namespace viand::expression
