// The values that an aggregate reads, as its loops want them: integers, doubles, integers in the
// values' order, or codes for equality. Each form is made once, when first asked for. Not
// thread-safe.
#pragma once

#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "src/common/error.h"
#include "src/common/pool_vector.h"
#include "src/engine/exact_words.h"

namespace viand::engine {

class AggregateValues {
 public:
  /// A dictionary is decoded.
  static arrow::Result<AggregateValues> Make(const std::shared_ptr<arrow::Array>& array);
  /// For Codes and nulls alone: a dictionary stays as it is.
  static AggregateValues MakeCompared(std::shared_ptr<arrow::Array> array);

  const std::shared_ptr<arrow::Array>& array() const { return array_; }
  bool HasNulls() const { return array_->null_count() != 0; }
  bool IsNull(int64_t row) const { return array_->IsNull(row); }
  bool IsDouble() const { return array_->type_id() == arrow::Type::DOUBLE; }

  const int64_t* Integers() const { return words_->data(); }  ///< for types with words
  const double* Doubles() const;                              ///< for float64
  /// Doubles as integers in units of 2^unit: every magnitude, nulls aside, is less than 2^bits.
  /// Nothing where one is not finite or `bits` exceeds 126.
  struct FixedPoint {
    int unit = 0;
    int bits = 0;
  };
  const std::optional<FixedPoint>& Fixed();
  /// Integers in the order of the values, -0.0 before 0.0, one NaN after all numbers; text by
  /// bytes.
  arrow::Result<const int64_t*> OrderKeys();
  /// Dense codes, equal for equal values: NaN equals NaN, -0.0 equals 0.0.
  arrow::Result<const PoolVector<int32_t>*> Codes();
  int64_t code_count() const { return code_count_; }  ///< after Codes

 private:
  std::shared_ptr<arrow::Array> array_;
  std::optional<Words> words_;
  std::optional<FixedPoint> fixed_;
  bool fixed_is_known_ = false;
  PoolVector<int64_t> order_keys_;
  PoolVector<int32_t> codes_;
  int64_t code_count_ = 0;
};

/// The order of doubles as integers: NaN is the greatest, -0.0 is less than 0.0.
inline int64_t OrderKey(double value) {
  if (std::isnan(value)) return std::numeric_limits<int64_t>::max();
  const auto bits = std::bit_cast<int64_t>(value);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<int64_t>::max();
}

/// A finite double in units of 2^unit, which divide it; `Integer` must have room for it.
template <typename Integer>
Integer ToFixed(double value, int unit) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  const uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
  const auto magnitude = static_cast<Integer>(biased ? fraction | uint64_t{1} << 52 : fraction);
  const int shift = std::max(biased, 1) - 1075 - unit;
  const Integer fixed = shift >= 0 ? magnitude << shift : magnitude >> std::min(-shift, 63);
  return bits >> 63 ? -fixed : fixed;
}

}  // namespace viand::engine
