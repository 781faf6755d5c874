// Sums of doubles and of their squares without any error until the one rounding at the end, so that
// a sum does not depend on the order of its terms, and a term can be taken out again. Not
// thread-safe.
//
// The state is a fixed-point number of 32-bit digits that covers every double and the square of
// every double (2^-2148 to 2^2048); only the digits in use are held: three or four for usual data.
// Digits carry lazily.
//
// NaN and infinities are counted beside it, so they can be subtracted too; a sum that exceeds the
// largest double becomes infinite only when rounded. An exact sum of zero is +0.0, be its terms
// -0.0 or not.
//
//   ExactSum sum;
//   sum.Add(1e308); sum.Add(1.0); sum.Add(-1e308);
//   sum.Round() == 1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/engine/exact_integer.h"

namespace viand::engine {

class ExactSum {
 public:
  void Add(double value) { AddDouble(value, false); }
  void Subtract(double value) { AddDouble(value, true); }
  void AddSquare(double value) { AddSquareOf(value, false); }
  void SubtractSquare(double value) { AddSquareOf(value, true); }
  void AddInteger(int64_t value);
  void SubtractInteger(int64_t value);
  void AddIntegerSquare(int64_t value);
  void SubtractIntegerSquare(int64_t value);
  void Merge(const ExactSum& other) { MergeTimes(1, other); }
  /// Takes a sum that was merged out again.
  void Unmerge(const ExactSum& other) { MergeTimes(-1, other); }
  void Clear();

  /// Returns the double nearest to the sum / count; NaN where a NaN or both infinities are among
  /// the terms.
  double RoundMean(uint64_t count) const;
  double Round() const { return RoundMean(1); }

  /// Appends the state as bytes of this machine's order, for another process of this plan.
  void AppendTo(std::string* bytes) const;
  /// Reads what AppendTo wrote from the front of `bytes`, and moves it on; false where it is no
  /// such state.
  bool ReadFrom(std::string_view* bytes);

 private:
  friend double SampleVariance(uint64_t, const ExactSum&, const ExactSum&);
  friend double SampleStddev(uint64_t, const ExactSum&, const ExactSum&);
  struct Scaled {
    ExactInteger integer;
    int64_t exponent;  // the value is integer * 2^exponent
  };

  static Scaled VarianceNumerator(uint64_t count, const ExactSum& sum, const ExactSum& squares);
  bool IsFinite() const { return nans_ == 0 && infinities_ == 0 && negative_infinities_ == 0; }
  void AddDouble(double value, bool subtract);
  void AddSquareOf(double value, bool subtract);
  void AddWord(bool negative, uint64_t magnitude, int exponent);
  void Cover(int first, int last);
  void Carry();
  void MergeTimes(int sign, const ExactSum& other);
  Scaled ToScaled() const;

  int first_ = 0;                // index of digits_[0] in the full range
  uint32_t pending_ = 0;         // additions since the last carry
  std::vector<int64_t> digits_;  // after Carry in [0, 2^32), but for the last, which has the sign
  int64_t nans_ = 0;
  int64_t infinities_ = 0;
  int64_t negative_infinities_ = 0;
};

/// Sample variance of `count` >= 2 values from their exact sum and sum of squares:
/// (count * squares - sum^2) / (count * (count - 1)), rounded once; NaN where a value is not
/// finite. `count` < 2^48.
double SampleVariance(uint64_t count, const ExactSum& sum, const ExactSum& squares);

/// The double nearest to the root of the exact variance: rounded once, too.
double SampleStddev(uint64_t count, const ExactSum& sum, const ExactSum& squares);

}  // namespace viand::engine
