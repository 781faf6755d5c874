#include "src/engine/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace viand::engine {
namespace {

constexpr int kDigitBits = 32;
constexpr int64_t kDigitMask = 0xffffffff;

// Weight of the lowest bit: that of the square of the least subnormal.
constexpr int kLowestExponent = -2 * 1074;

// Each addition changes a digit by less than 2^32, so an int64 takes 2^30 of them and a carried
// digit.
constexpr uint32_t kMostPending = uint32_t{1} << 30;

// Of the full range, and of what sums of 2^64 such terms carry beyond it.
constexpr int64_t kMostDigits = (2148 + 2048) / kDigitBits + 6;

struct Decoded {
  bool negative;
  uint64_t mantissa;
  int exponent;
};

// A finite double is mantissa * 2^exponent.
Decoded Decode(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  const uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
  return {(bits >> 63) != 0, biased ? fraction | uint64_t{1} << 52 : fraction,
          std::max(biased, 1) - 1075};
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

/// count * (count - 1), which 64 bits do not hold of more than 2^32.
unsigned __int128 Pairs(uint64_t count) {
  return static_cast<unsigned __int128>(count) * (count - 1);
}

}  // namespace

void ExactSum::AddDouble(double value, bool subtract) {
  if (!std::isfinite(value)) [[unlikely]] {
    int64_t& count = std::isnan(value) ? nans_ : value > 0 ? infinities_ : negative_infinities_;
    count += subtract ? -1 : 1;
    return;
  }
  const Decoded decoded = Decode(value);
  AddWord(decoded.negative != subtract, decoded.mantissa, decoded.exponent);
}

void ExactSum::AddSquareOf(double value, bool subtract) {
  if (!std::isfinite(value)) [[unlikely]] {
    (std::isnan(value) ? nans_ : infinities_) += subtract ? -1 : 1;
    return;
  }
  const Decoded decoded = Decode(value);
  const unsigned __int128 square =
      static_cast<unsigned __int128>(decoded.mantissa) * decoded.mantissa;
  AddWord(subtract, static_cast<uint64_t>(square), 2 * decoded.exponent);
  AddWord(subtract, static_cast<uint64_t>(square >> 64), 2 * decoded.exponent + 64);
}

void ExactSum::AddInteger(int64_t value) { AddWord(value < 0, Magnitude(value), 0); }

void ExactSum::SubtractInteger(int64_t value) { AddWord(value >= 0, Magnitude(value), 0); }

void ExactSum::AddIntegerSquare(int64_t value) {
  const auto square = static_cast<unsigned __int128>(Magnitude(value)) * Magnitude(value);
  AddWord(false, static_cast<uint64_t>(square), 0);
  AddWord(false, static_cast<uint64_t>(square >> 64), 64);
}

void ExactSum::SubtractIntegerSquare(int64_t value) {
  const auto square = static_cast<unsigned __int128>(Magnitude(value)) * Magnitude(value);
  AddWord(true, static_cast<uint64_t>(square), 0);
  AddWord(true, static_cast<uint64_t>(square >> 64), 64);
}

void ExactSum::AddWord(bool negative, uint64_t magnitude, int exponent) {
  if (magnitude == 0) return;
  const int position = exponent - kLowestExponent;
  const int first = position / kDigitBits;
  const auto shifted = static_cast<unsigned __int128>(magnitude) << (position % kDigitBits);
  Cover(first, first + 3);
  int64_t* digit = digits_.data() + (first - first_);
  const int64_t low = static_cast<int64_t>(shifted) & kDigitMask;
  const int64_t middle = static_cast<int64_t>(shifted >> kDigitBits) & kDigitMask;
  const auto high = static_cast<int64_t>(shifted >> (2 * kDigitBits));
  digit[0] += negative ? -low : low;
  digit[1] += negative ? -middle : middle;
  digit[2] += negative ? -high : high;
  if (++pending_ >= kMostPending) Carry();
}

void ExactSum::Cover(int first, int last) {
  if (digits_.empty()) first_ = first;
  if (first < first_) {
    digits_.insert(digits_.begin(), first_ - first, 0);
    first_ = first;
  }
  if (last > first_ + static_cast<int>(digits_.size())) digits_.resize(last - first_);
}

void ExactSum::Carry() {
  pending_ = 0;
  if (digits_.empty()) return;
  for (size_t i = 0; i + 1 < digits_.size(); ++i) {
    digits_[i + 1] += digits_[i] >> kDigitBits;
    digits_[i] &= kDigitMask;
  }
  // The top digit keeps its sign; it moves on before another 2^30 additions could overflow it.
  while (digits_.back() != static_cast<int32_t>(digits_.back())) {
    const int64_t top = digits_.back();
    digits_.back() = top & kDigitMask;
    digits_.push_back(top >> kDigitBits);
  }
}

void ExactSum::MergeTimes(int sign, const ExactSum& other) {
  nans_ += sign * other.nans_;
  infinities_ += sign * other.infinities_;
  negative_infinities_ += sign * other.negative_infinities_;
  if (other.digits_.empty()) return;
  ExactSum carried = other;
  carried.Carry();
  Cover(carried.first_, carried.first_ + static_cast<int>(carried.digits_.size()));
  for (size_t i = 0; i < carried.digits_.size(); ++i) {
    digits_[carried.first_ - first_ + i] += sign * carried.digits_[i];
  }
  if (++pending_ >= kMostPending) Carry();
}

void ExactSum::Clear() {
  std::fill(digits_.begin(), digits_.end(), 0);
  pending_ = 0;
  nans_ = infinities_ = negative_infinities_ = 0;
}

void ExactSum::AppendTo(std::string* bytes) const {
  ExactSum carried = *this;
  carried.Carry();
  std::vector<int64_t> words{nans_, infinities_, negative_infinities_, carried.first_,
                             static_cast<int64_t>(carried.digits_.size())};
  words.insert(words.end(), carried.digits_.begin(), carried.digits_.end());
  bytes->append(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(int64_t));
}

bool ExactSum::ReadFrom(std::string_view* bytes) {
  const auto read = [bytes](int64_t* word) {
    if (bytes->size() < sizeof(int64_t)) return false;
    std::memcpy(word, bytes->data(), sizeof(int64_t));
    bytes->remove_prefix(sizeof(int64_t));
    return true;
  };
  *this = {};
  int64_t first = 0, size = 0;
  if (!read(&nans_) || !read(&infinities_) || !read(&negative_infinities_) || !read(&first) ||
      !read(&size) || first < 0 || size < 0 || first + size > kMostDigits || first > kMostDigits)
    return false;
  first_ = static_cast<int>(first);
  digits_.resize(size);
  for (int64_t& digit : digits_) {
    if (!read(&digit) || digit < std::numeric_limits<int32_t>::min() || digit > kDigitMask)
      return false;
  }
  return true;
}

ExactSum::Scaled ExactSum::ToScaled() const {
  ExactSum carried = *this;
  carried.Carry();
  std::vector<int64_t>& digits = carried.digits_;
  Scaled out{.integer = {}, .exponent = int64_t{carried.first_} * kDigitBits + kLowestExponent};
  out.integer.negative = !digits.empty() && digits.back() < 0;
  int64_t carry = 0;
  for (const int64_t digit : digits) {
    carry += out.integer.negative ? -digit : digit;
    out.integer.digits.push_back(static_cast<uint32_t>(carry));
    carry >>= kDigitBits;
  }
  while (!out.integer.digits.empty() && out.integer.digits.back() == 0) {
    out.integer.digits.pop_back();
  }
  return out;
}

double ExactSum::RoundMean(uint64_t count) const {
  if (nans_ > 0 || (infinities_ > 0 && negative_infinities_ > 0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (infinities_ > 0) return HUGE_VAL;
  if (negative_infinities_ > 0) return -HUGE_VAL;
  const Scaled scaled = ToScaled();
  return RoundRatio(scaled.integer, count, scaled.exponent);
}

ExactSum::Scaled ExactSum::VarianceNumerator(uint64_t count, const ExactSum& sum,
                                             const ExactSum& squares) {
  const Scaled total = sum.ToScaled();
  const Scaled square_total = squares.ToScaled();
  const ExactInteger left =
      Multiply(ExactInteger::From(static_cast<__int128>(count)), square_total.integer);
  const ExactInteger right = Multiply(total.integer, total.integer);
  const int64_t exponent = std::min(square_total.exponent, 2 * total.exponent);
  return {engine::Subtract(ShiftLeft(left, square_total.exponent - exponent),
                           ShiftLeft(right, 2 * total.exponent - exponent)),
          exponent};
}

double SampleVariance(uint64_t count, const ExactSum& sum, const ExactSum& squares) {
  if (!sum.IsFinite()) return std::numeric_limits<double>::quiet_NaN();
  const ExactSum::Scaled numerator = ExactSum::VarianceNumerator(count, sum, squares);
  return RoundRatio(numerator.integer, Pairs(count), numerator.exponent);
}

double SampleStddev(uint64_t count, const ExactSum& sum, const ExactSum& squares) {
  if (!sum.IsFinite()) return std::numeric_limits<double>::quiet_NaN();
  const ExactSum::Scaled numerator = ExactSum::VarianceNumerator(count, sum, squares);
  return RoundSqrtRatio(numerator.integer, Pairs(count), numerator.exponent);
}

}  // namespace viand::engine
