#include "src/engine/exact_sum.h"
#include "src/common/test_rounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace viand::engine {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The oracle: every double is an integer times 2^-1074, so sums are plain integers of 2200 bits.
ExactInteger ToInteger(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  const auto integer = static_cast<int64_t>(std::ldexp(mantissa, 53));
  const int64_t shift = int64_t{exponent} - 53 + 1074;
  ExactInteger out = ExactInteger::From(shift >= 0 ? integer : integer >> -shift);
  return shift >= 0 ? ShiftLeft(out, shift) : out;
}

ExactInteger Plus(const ExactInteger& a, ExactInteger b) {
  b.negative = !b.negative && !b.IsZero();
  return Subtract(a, b);
}

// a < b by the sign of the difference.
bool Less(const ExactInteger& a, const ExactInteger& b) { return Subtract(a, b).negative; }

// Checks `result` to be the double nearest to value * 2^-1074: no neighbour is nearer.
void ExpectNearest(double result, const ExactInteger& value) {
  ASSERT_TRUE(std::isfinite(result));
  const auto distance = [&](double x) {
    ExactInteger d = Subtract(ToInteger(x), value);
    d.negative = false;
    return d;
  };
  const ExactInteger own = distance(result);
  for (const double direction : {-kInfinity, kInfinity}) {
    const double neighbour = std::nextafter(result, direction);
    if (!std::isfinite(neighbour)) continue;
    const ExactInteger other = distance(neighbour);
    EXPECT_FALSE(Less(other, own)) << result;
    if (!Less(own, other)) EXPECT_EQ(std::bit_cast<uint64_t>(result) & 1, 0u) << "ties go to even";
  }
}

class RandomDoubles {
 public:
  explicit RandomDoubles(uint64_t seed) : random_(seed) {}
  double Next(int spread) {
    const auto exponent = static_cast<int>(random_() % (2 * spread + 1)) - spread;
    const double value =
        std::ldexp(static_cast<double>(random_() >> 11), std::min(exponent, 1020) - 53);
    return random_() % 2 ? value : -value;
  }
  uint64_t Bits() { return random_(); }

 private:
  std::mt19937_64 random_;
};

TEST(ExactSum, NearestToTheTrueSumWhateverTheExponents) {
  RandomDoubles random(1);
  for (const int spread : {0, 3, 60, 500, 1020, 1073}) {
    for (int trial = 0; trial < 40; ++trial) {
      ExactSum sum;
      ExactInteger expected;
      for (int i = 0; i < 30; ++i) {
        const double value = random.Next(spread) / 64;
        sum.Add(value);
        expected = Plus(expected, ToInteger(value));
      }
      ExpectNearest(sum.Round(), expected);
    }
  }
}

TEST(ExactSum, CancelsAndSubtracts) {
  ExactSum sum;
  sum.Add(1e308);
  sum.Add(1e308);
  EXPECT_EQ(sum.Round(), kInfinity);
  sum.Add(4.9e-324);
  sum.Subtract(1e308);
  sum.Subtract(1e308);
  EXPECT_EQ(sum.Round(), 4.9e-324);
  sum.Subtract(4.9e-324);
  EXPECT_EQ(std::bit_cast<uint64_t>(sum.Round()), 0u);
  sum.Add(-0.0);
  EXPECT_FALSE(std::signbit(sum.Round()));
}

TEST(ExactSum, DoesNotDependOnOrderOrGrouping) {
  RandomDoubles random(2);
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) values.push_back(random.Next(i % 90));
  ExactSum whole;
  for (const double value : values) whole.Add(value);
  std::mt19937_64 shuffle(3);
  for (int trial = 0; trial < 20; ++trial) {
    std::shuffle(values.begin(), values.end(), shuffle);
    ExactSum left, right;
    for (size_t i = 0; i < values.size(); ++i) (i % 7 < 3 ? left : right).Add(values[i]);
    const double noise = random.Next(1000);
    left.Subtract(noise);
    right.Merge(left);
    right.Add(noise);
    EXPECT_EQ(right.Round(), whole.Round());
  }
}

TEST(ExactSum, WhatWasMergedComesOutAgainAndSurvivesAsBytes) {
  RandomDoubles random(5);
  for (int trial = 0; trial < TestRounds(50); ++trial) {
    ExactSum kept, other;
    for (int i = 0; i < 20; ++i) {
      const double value = random.Next(300);
      kept.Add(value);
      kept.AddSquare(value);
      other.Subtract(random.Next(300));
    }
    if (trial % 5 == 0) other.Add(kInfinity);
    std::string bytes = "before";
    other.AppendTo(&bytes);
    std::string_view left = std::string_view(bytes).substr(6);
    ExactSum read;
    ASSERT_TRUE(read.ReadFrom(&left));
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(read.Round(), other.Round());
    ExactSum both = kept;
    both.Merge(other);
    both.Unmerge(read);
    EXPECT_EQ(both.Round(), kept.Round());
    std::string_view cut = std::string_view(bytes).substr(6, bytes.size() - 7);
    EXPECT_FALSE(read.ReadFrom(&cut));
  }
}

TEST(ExactSum, NanAndInfinitiesComeAndGo) {
  ExactSum sum;
  sum.Add(2.5);
  sum.Add(kInfinity);
  EXPECT_EQ(sum.Round(), kInfinity);
  sum.Add(-kInfinity);
  EXPECT_TRUE(std::isnan(sum.Round()));
  sum.Subtract(kInfinity);
  EXPECT_EQ(sum.Round(), -kInfinity);
  sum.Add(std::nan(""));
  EXPECT_TRUE(std::isnan(sum.Round()));
  sum.Subtract(std::nan(""));
  sum.Subtract(-kInfinity);
  EXPECT_EQ(sum.Round(), 2.5);
}

TEST(ExactSum, MeanIsRoundedOnce) {
  // 3 * 0.1 rounds up before it is divided, the exact mean of equal values is the value.
  ExactSum sum;
  for (int i = 0; i < 3; ++i) sum.Add(0.1);
  EXPECT_EQ(sum.RoundMean(3), 0.1);
  EXPECT_NE((0.1 + 0.1 + 0.1) / 3, 0.1);
}

TEST(ExactSum, VarianceAndStddevAreExact) {
  ExactSum sum, squares;
  for (const double value : {1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4}) {
    sum.Add(value);
    squares.AddSquare(value);
  }
  EXPECT_EQ(SampleVariance(4, sum, squares), 5.0 / 3);
  EXPECT_EQ(SampleStddev(4, sum, squares), 1.2909944487358056);
  sum.Subtract(1e8 + 4);
  squares.SubtractSquare(1e8 + 4);
  EXPECT_EQ(SampleVariance(3, sum, squares), 1.0);
  EXPECT_EQ(SampleStddev(3, sum, squares), 1.0);
}

TEST(ExactSum, VarianceOfExtremes) {
  const double least = std::numeric_limits<double>::denorm_min();
  ExactSum sum, squares;
  for (const double value : {least, 3 * least}) {
    sum.Add(value);
    squares.AddSquare(value);
  }
  // The variance, 2 * 2^-2148, is below every double; its root is not.
  EXPECT_EQ(SampleVariance(2, sum, squares), 0.0);
  EXPECT_EQ(SampleStddev(2, sum, squares), least);
  ExactSum large, large_squares;
  for (const int64_t value :
       {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    large.AddInteger(value);
    large_squares.AddIntegerSquare(value);
  }
  EXPECT_EQ(large.Round(), -1.0);
  EXPECT_EQ(SampleVariance(2, large, large_squares), std::ldexp(1.0, 127));
  large.SubtractInteger(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(large.Round(), std::ldexp(1.0, 63));
}

// As many as summaries of summaries tell of: count * (count - 1) exceeds 64 bits.
TEST(ExactSum, VarianceOfMoreThanFourBillion) {
  ExactSum ones;
  ones.AddInteger(1);
  for (int i = 0; i < 33; ++i) ones.Merge(ExactSum(ones));
  const uint64_t count = uint64_t{1} << 34;  // half of them ones, the others zeros
  const double variance = std::ldexp(1.0, 32) / (std::ldexp(1.0, 34) - 1);
  EXPECT_EQ(ones.RoundMean(count), 0.5);
  EXPECT_EQ(SampleVariance(count, ones, ones), variance);
  EXPECT_EQ(SampleStddev(count, ones, ones), std::sqrt(variance));
}

TEST(ExactSum, SurvivesManyCarries) {
  ExactSum sum;
  for (int i = 0; i < 100000; ++i) sum.Add(-1.0 + std::ldexp(1.0, -53));
  EXPECT_EQ(sum.Round(), -100000 + std::ldexp(100000, -53));
}

TEST(RoundRatio, MeansOfFewAgree) {
  RandomDoubles random(6);
  for (int trial = 0; trial < TestRounds(5000); ++trial) {
    // Every second numerator is halfway between two doubles times the denominator.
    const uint64_t denominator = 1 + random.Bits() % 600;
    const uint64_t bits = trial % 2 == 0 ? random.Bits() >> (trial % 61)
                                         : ((random.Bits() >> 10) | 1) * (denominator % 8 + 1);
    const __int128 numerator = trial % 3 == 0 ? -__int128{bits} : __int128{bits};
    const uint64_t divisor = trial % 2 == 0 ? denominator : 2 * (denominator % 8 + 1);
    const int exponent = static_cast<int>(random.Bits() % 2400) - 1200;
    EXPECT_EQ(RoundRatio(numerator, divisor, exponent),
              RoundRatio(ExactInteger::From(numerator), divisor, exponent))
        << trial;
  }
}

TEST(RoundRatio, SmallAndLargeNumeratorsAgree) {
  RandomDoubles random(5);
  for (int trial = 0; trial < TestRounds(2000); ++trial) {
    const auto wide = static_cast<__int128>(static_cast<unsigned __int128>(random.Bits()) << 64 |
                                            random.Bits()) >>
                      (trial % 127);
    const uint64_t denominator = trial % 3 == 0 ? 1 : (random.Bits() >> (trial % 64)) | 1;
    const int exponent = static_cast<int>(random.Bits() % 2400) - 1200;
    EXPECT_EQ(RoundRatio(wide, denominator, exponent),
              RoundRatio(ExactInteger::From(wide), denominator, exponent));
  }
  EXPECT_EQ(RoundRatio(__int128{7}, 2, 0), 3.5);
  EXPECT_EQ(RoundRatio(__int128{1}, 3, 0), 1.0 / 3);
  EXPECT_EQ(RoundSqrtRatio(ExactInteger::From(2), 1, 0), std::sqrt(2.0));
  EXPECT_EQ(RoundSqrtRatio(ExactInteger::From(9), 4, 0), 1.5);
}

}  // namespace
}  // namespace viand::engine
