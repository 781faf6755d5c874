// Integers of any size, and the double nearest to a ratio of them: the last step of every exact
// aggregate. Values only: thread-safe.
//
//   ExactInteger n = Multiply(ExactInteger::From(7), ExactInteger::From(3));
//   RoundRatio(n, 2, 0) == 10.5
#pragma once

#include <cstdint>
#include <vector>

namespace viand::engine {

struct ExactInteger {
  bool negative = false;              ///< false for zero
  std::vector<uint32_t> digits = {};  ///< magnitude in base 2^32, lowest first, no zeros at the top

  static ExactInteger From(__int128 value);
  bool IsZero() const { return digits.empty(); }
  int64_t BitLength() const;  ///< of the magnitude; 0 for zero
};

ExactInteger Multiply(const ExactInteger& a, const ExactInteger& b);
ExactInteger Subtract(const ExactInteger& a, const ExactInteger& b);
/// Returns value * 2^bits.
ExactInteger ShiftLeft(const ExactInteger& value, int64_t bits);

/// Returns the double nearest to numerator / denominator * 2^exponent, ties to even: one rounding,
/// also where the result is subnormal; infinity where it exceeds the largest double. Zero is +0.0.
/// `denominator` is neither 0 nor above 2^96.
double RoundRatio(const ExactInteger& numerator, unsigned __int128 denominator, int64_t exponent);

/// Returns the double nearest to sqrt(numerator / denominator * 2^exponent); `numerator` is not
/// negative.
double RoundSqrtRatio(const ExactInteger& numerator, unsigned __int128 denominator,
                      int64_t exponent);

/// RoundRatio for a numerator that fits 127 bits, without allocation.
double RoundRatio(__int128 numerator, uint64_t denominator, int64_t exponent);

}  // namespace viand::engine
