// The values that an aggregate reads, as its loops want them: integers, doubles, integers in the
// values' order, or codes for equality. Each form is made once, when first asked for. Not
// thread-safe.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/common/error.h"
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
  /// Doubles as integers in units of 2^unit whose sum over all rows fits 127 bits; null where there
  /// is no such unit, as for a value that is not finite. A null counts as 0.
  struct FixedPoint {
    int unit = 0;
    std::vector<__int128> integers;
  };
  const FixedPoint* Fixed();
  /// Integers in the order of the values, -0.0 before 0.0, one NaN after all numbers; text by
  /// bytes.
  arrow::Result<const int64_t*> OrderKeys();
  /// Dense codes, equal for equal values: NaN equals NaN, -0.0 equals 0.0.
  arrow::Result<const std::vector<int32_t>*> Codes();
  int64_t code_count() const { return code_count_; }  ///< after Codes

 private:
  std::shared_ptr<arrow::Array> array_;
  std::optional<Words> words_;
  std::optional<FixedPoint> fixed_;
  bool fixed_is_known_ = false;
  std::vector<int64_t> order_keys_;
  std::vector<int32_t> codes_;
  int64_t code_count_ = 0;
};

/// The order of doubles as integers: NaN is the greatest, -0.0 is less than 0.0.
int64_t OrderKey(double value);

}  // namespace viand::engine
