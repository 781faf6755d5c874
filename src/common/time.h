// Times and durations as text. Inside viand a time is microseconds since 1970-01-01 UTC, a naive
// one counts as UTC, and a duration is microseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Parses "90d", "36h", "1d12h", "0d", "15m", "30s", "250ms", "10us", "2w": a sum of number and
/// unit. Fails on an empty text, an unknown unit, or beyond int64.
arrow::Result<int64_t> ParseDurationUs(std::string_view text);

/// Prints a duration with the largest units that keep it exact: "90d", "1d12h", "0d".
std::string FormatDuration(int64_t duration_us);

/// Parses "2011-03-01", "2011-03-01 08:26", "2011-03-01T08:26:00.123456Z", with an optional zone
/// "+01:00". Fails where the text is not such a time in the years 0001 to 9999.
arrow::Result<int64_t> ParseTimestampUs(std::string_view text);

/// Prints "2011-03-01 08:26:00" (UTC), with ".123456" only where there is a fraction.
std::string FormatTimestamp(int64_t time_us);

/// Returns the current time.
int64_t NowUs();

}  // namespace viand
