#include "src/engine/exact_integer.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace viand::engine {
namespace {

using Wide = unsigned __int128;

constexpr int kDigitBits = 32;

// A quotient of this many bits leaves room for the 53 of a double, a guard bit and, below them, the
// rest.
constexpr int64_t kQuotientBits = 100;
// A root of 63 bits.
constexpr int64_t kSquareBits = 126;

int BitLength(Wide value) {
  const auto high = static_cast<uint64_t>(value >> 64);
  return high ? 128 - std::countl_zero(high) : 64 - std::countl_zero(static_cast<uint64_t>(value));
}

void Trim(ExactInteger* value) {
  while (!value->digits.empty() && value->digits.back() == 0) value->digits.pop_back();
  if (value->digits.empty()) value->negative = false;
}

// Floor of the magnitude * 2^bits; *inexact tells whether bits were dropped.
ExactInteger Shift(const ExactInteger& value, int64_t bits, bool* inexact) {
  if (bits >= 0) return ShiftLeft(value, bits);
  const int64_t drop = -bits / kDigitBits;
  const int low = static_cast<int>(-bits % kDigitBits);
  const auto size = static_cast<int64_t>(value.digits.size());
  ExactInteger out{.negative = value.negative};
  for (int64_t i = 0; i < std::min(drop, size); ++i) *inexact |= value.digits[i] != 0;
  for (int64_t i = drop; i < size; ++i) {
    const uint64_t high = i + 1 < size ? value.digits[i + 1] : 0;
    const uint64_t pair = high << kDigitBits | value.digits[i];
    if (i == drop) *inexact |= (pair & ((uint64_t{1} << low) - 1)) != 0;
    out.digits.push_back(static_cast<uint32_t>(pair >> low));
  }
  Trim(&out);
  return out;
}

// Floor of the magnitude / denominator, known to fit 128 bits. With a digit more no rest of up to
// 96 bits is too long.
Wide Divide(const ExactInteger& value, Wide denominator, bool* inexact) {
  Wide remainder = 0;
  Wide quotient = 0;
  for (auto digit = value.digits.rbegin(); digit != value.digits.rend(); ++digit) {
    remainder = remainder << kDigitBits | *digit;
    quotient = quotient << kDigitBits | remainder / denominator;
    remainder %= denominator;
  }
  *inexact |= remainder != 0;
  return quotient;
}

// The double nearest to (value + something under 1 if inexact) * 2^exponent. If inexact, value has
// over 54 bits.
double RoundScaled(Wide value, bool inexact, int64_t exponent) {
  if (value == 0) return 0.0;
  const int64_t top = exponent + BitLength(value) - 1;
  if (top > 1023) return HUGE_VAL;
  const int64_t lowest = std::max<int64_t>(top - 52, -1074);
  const int64_t drop = lowest - exponent;
  if (drop <= 0) {
    return std::ldexp(static_cast<double>(static_cast<uint64_t>(value << -drop)),
                      static_cast<int>(lowest));
  }
  if (drop > 128) return 0.0;
  const Wide kept = drop == 128 ? 0 : value >> drop;
  const Wide half = Wide{1} << (drop - 1);
  const Wide rest = value - (drop == 128 ? 0 : kept << drop);
  const bool up = rest > half || (rest == half && (inexact || (kept & 1)));
  return std::ldexp(static_cast<double>(static_cast<uint64_t>(kept) + up),
                    static_cast<int>(lowest));
}

uint64_t FloorSqrt(Wide value) {
  auto root = static_cast<uint64_t>(std::sqrt(static_cast<long double>(value)));
  while (Wide{root} * root > value) --root;
  while (Wide{root + 1} * (root + 1) <= value) ++root;
  return root;
}

}  // namespace

ExactInteger ExactInteger::From(__int128 value) {
  ExactInteger out{.negative = value < 0};
  Wide magnitude = value < 0 ? -static_cast<Wide>(value) : static_cast<Wide>(value);
  for (; magnitude != 0; magnitude >>= kDigitBits) {
    out.digits.push_back(static_cast<uint32_t>(magnitude));
  }
  return out;
}

int64_t ExactInteger::BitLength() const {
  if (digits.empty()) return 0;
  return static_cast<int64_t>(digits.size()) * kDigitBits - std::countl_zero(digits.back());
}

ExactInteger Multiply(const ExactInteger& a, const ExactInteger& b) {
  ExactInteger out{.negative = a.negative != b.negative};
  out.digits.resize(a.digits.size() + b.digits.size());
  for (size_t i = 0; i < a.digits.size(); ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < b.digits.size(); ++j) {
      carry += uint64_t{a.digits[i]} * b.digits[j] + out.digits[i + j];
      out.digits[i + j] = static_cast<uint32_t>(carry);
      carry >>= kDigitBits;
    }
    out.digits[i + b.digits.size()] = static_cast<uint32_t>(carry);
  }
  Trim(&out);
  return out;
}

ExactInteger Subtract(const ExactInteger& a, const ExactInteger& b) {
  // In two's complement with a digit to spare for the sign.
  const size_t size = std::max(a.digits.size(), b.digits.size()) + 2;
  ExactInteger out;
  out.digits.resize(size);
  const auto signed_digit = [](const ExactInteger& x, size_t i) {
    const int64_t digit = i < x.digits.size() ? x.digits[i] : 0;
    return x.negative ? -digit : digit;
  };
  int64_t carry = 0;
  for (size_t i = 0; i < size; ++i) {
    carry += signed_digit(a, i) - signed_digit(b, i);
    out.digits[i] = static_cast<uint32_t>(carry);
    carry >>= kDigitBits;
  }
  out.negative = carry < 0;
  if (out.negative) {
    uint64_t plus_one = 1;
    for (uint32_t& digit : out.digits) {
      plus_one += static_cast<uint32_t>(~digit);
      digit = static_cast<uint32_t>(plus_one);
      plus_one >>= kDigitBits;
    }
  }
  Trim(&out);
  return out;
}

ExactInteger ShiftLeft(const ExactInteger& value, int64_t bits) {
  if (value.IsZero()) return value;
  ExactInteger out{.negative = value.negative};
  out.digits.resize(bits / kDigitBits);
  const int shift = static_cast<int>(bits % kDigitBits);
  uint64_t carry = 0;
  for (const uint32_t digit : value.digits) {
    carry |= uint64_t{digit} << shift;
    out.digits.push_back(static_cast<uint32_t>(carry));
    carry >>= kDigitBits;
  }
  out.digits.push_back(static_cast<uint32_t>(carry));
  Trim(&out);
  return out;
}

double RoundRatio(const ExactInteger& numerator, Wide denominator, int64_t exponent) {
  if (numerator.IsZero()) return 0.0;
  const int64_t shift = kQuotientBits + BitLength(denominator) - numerator.BitLength();
  bool inexact = false;
  const ExactInteger shifted = Shift(numerator, shift, &inexact);
  const Wide quotient = Divide(shifted, denominator, &inexact);
  const double rounded = RoundScaled(quotient, inexact, exponent - shift);
  return numerator.negative ? -rounded : rounded;
}

double RoundSqrtRatio(const ExactInteger& numerator, Wide denominator, int64_t exponent) {
  if (numerator.IsZero()) return 0.0;
  int64_t shift = kSquareBits + BitLength(denominator) - numerator.BitLength();
  if ((exponent - shift) % 2 != 0) --shift;
  bool inexact = false;
  const ExactInteger shifted = Shift(numerator, shift, &inexact);
  const Wide quotient = Divide(shifted, denominator, &inexact);
  const uint64_t root = FloorSqrt(quotient);
  inexact |= Wide{root} * root != quotient;
  return RoundScaled(root, inexact, (exponent - shift) / 2);
}

double RoundRatio(__int128 numerator, uint64_t denominator, int64_t exponent) {
  if (numerator == 0) return 0.0;
  const Wide magnitude =
      numerator < 0 ? -static_cast<Wide>(numerator) : static_cast<Wide>(numerator);
  // Of operands that are doubles the processor rounds the quotient once, and an integer when it
  // makes it a double; a power of two that stays far from the ends of the range scales exactly.
  constexpr Wide kMostExact = Wide{1} << 53;
  const bool exact_operands = magnitude <= kMostExact && denominator <= kMostExact;
  if ((denominator == 1 || exact_operands) && exponent > -900 && exponent < 800) {
    const auto scale = std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
    return static_cast<double>(numerator) / static_cast<double>(denominator) * scale;
  }
  // Shifted to the top of 64 bits, a quotient by less than 2^9 has at least 55: two more than a
  // double. Its last bit may tell that there is a rest; then the processor rounds it once.
  if (magnitude >> 64 == 0 && denominator < 512 && exponent > -800 && exponent < 700) {
    const int zeros = std::countl_zero(static_cast<uint64_t>(magnitude));
    const uint64_t shifted = static_cast<uint64_t>(magnitude) << zeros;
    const uint64_t quotient = shifted / denominator;
    const uint64_t rest = quotient * denominator != shifted ? 1 : 0;
    const auto scale = std::bit_cast<double>(static_cast<uint64_t>(exponent - zeros + 1023) << 52);
    const double rounded = static_cast<double>(quotient | rest) * scale;
    return numerator < 0 ? -rounded : rounded;
  }
  // Shifted to the top, so that the quotient has at least 64 bits as long as the denominator has at
  // most 64.
  const int shift = 128 - BitLength(magnitude);
  const Wide shifted = magnitude << shift;
  const Wide quotient = denominator == 1 ? shifted : shifted / denominator;
  const bool inexact = denominator != 1 && quotient * denominator != shifted;
  const double rounded = RoundScaled(quotient, inexact, exponent - shift);
  return numerator < 0 ? -rounded : rounded;
}

}  // namespace viand::engine
