#include "src/common/time.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace viand {
namespace {

TEST(Duration, ReadsSumsOfUnits) {
  EXPECT_EQ(*ParseDurationUs("90d"), 90 * kMicrosPerDay);
  EXPECT_EQ(*ParseDurationUs("1d12h"), 36 * 3600 * kMicrosPerSecond);
  EXPECT_EQ(*ParseDurationUs("250ms"), 250'000);
  EXPECT_EQ(*ParseDurationUs("5m"), 300 * kMicrosPerSecond);
  EXPECT_EQ(*ParseDurationUs("0d"), 0);
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "90", "d", "90x", "-3d", "9223372036854775807d", "1d2", "9 d"}) {
    EXPECT_FALSE(ParseDurationUs(text).ok()) << text;
  }
}

TEST(Duration, PrintsWhatItReads) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const auto us = static_cast<int64_t>(random() >> (1 + random() % 60));
    EXPECT_EQ(*ParseDurationUs(FormatDuration(us)), us) << FormatDuration(us);
  }
  EXPECT_EQ(FormatDuration(36 * 3600 * kMicrosPerSecond), "1d12h");
}

TEST(Timestamp, ReadsIsoForms) {
  EXPECT_EQ(*ParseTimestampUs("1970-01-01"), 0);
  EXPECT_EQ(*ParseTimestampUs("2011-03-01 08:26"), 1298967960 * kMicrosPerSecond);
  EXPECT_EQ(*ParseTimestampUs("2011-03-01T08:26:00.5Z"), 1298967960 * kMicrosPerSecond + 500'000);
  EXPECT_EQ(*ParseTimestampUs("2011-03-01T09:26:00+01:00"), 1298967960 * kMicrosPerSecond);
  EXPECT_EQ(*ParseTimestampUs("1969-12-31 23:59:59"), -kMicrosPerSecond);
}

TEST(Timestamp, RefusesWhatIsNone) {
  for (const char* text : {"", "2011-02-30", "2011-3-1", "2011-03-01 25:00", "2011-03-01x",
                           "2011-03-01 08:26:00.0000001", "0000-01-01", "2011-03-01 08:26+99:00"}) {
    EXPECT_FALSE(ParseTimestampUs(text).ok()) << text;
  }
}

TEST(Timestamp, PrintsWhatItReads) {
  std::mt19937_64 random(8);
  std::uniform_int_distribution<int64_t> times(-62'135'596'800LL * kMicrosPerSecond,
                                               253'402'300'799LL * kMicrosPerSecond);
  for (int i = 0; i < 1000; ++i) {
    const int64_t us = times(random);
    EXPECT_EQ(*ParseTimestampUs(FormatTimestamp(us)), us) << FormatTimestamp(us);
  }
}

}  // namespace
}  // namespace viand
