#include "src/engine/aggregate_values.h"

#include <arrow/array/array_binary.h>
#include <arrow/type.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>

#include "src/engine/key_column.h"

namespace viand::engine {
namespace {

std::vector<int64_t> DoubleKeys(const arrow::Array& array) {
  std::vector<int64_t> keys(array.length());
  const bool is_double = array.type_id() == arrow::Type::DOUBLE;
  for (int64_t i = 0; i < array.length(); ++i) {
    keys[i] = OrderKey(is_double ? static_cast<const arrow::DoubleArray&>(array).Value(i)
                                 : double{static_cast<const arrow::FloatArray&>(array).Value(i)});
  }
  return keys;
}

// Ranks of the distinct strings among themselves: codes name them, one row each shows their text.
template <typename BinaryArray>
std::vector<int64_t> RankKeys(const arrow::Array& array, const std::vector<int32_t>& codes,
                              int64_t code_count) {
  const auto& typed = static_cast<const BinaryArray&>(array);
  std::vector<std::string_view> text(code_count);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (codes[i] >= 0) text[codes[i]] = typed.GetView(i);
  }
  std::vector<int64_t> sorted(code_count);
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(), [&](int64_t a, int64_t b) { return text[a] < text[b]; });
  std::vector<int64_t> rank(code_count);
  for (int64_t i = 0; i < code_count; ++i) rank[sorted[i]] = i;
  std::vector<int64_t> keys(array.length());
  for (int64_t i = 0; i < array.length(); ++i) keys[i] = codes[i] < 0 ? 0 : rank[codes[i]];
  return keys;
}

struct Mantissa {
  int64_t integer;
  int exponent;  // the value is integer * 2^exponent
};

Mantissa Split(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  const auto fraction = static_cast<int64_t>(bits & ((uint64_t{1} << 52) - 1));
  const int64_t magnitude = biased ? fraction | int64_t{1} << 52 : fraction;
  return {bits >> 63 ? -magnitude : magnitude, std::max(biased, 1) - 1075};
}

// The unit 2^exponent in which the sum of all values fits 126 bits; nothing where there is none.
std::optional<int> FixedPointExponent(const arrow::DoubleArray& array) {
  int lowest = std::numeric_limits<int>::max();
  int highest = std::numeric_limits<int>::min();
  const bool nulls = array.null_count() != 0;
  for (int64_t row = 0; row < array.length(); ++row) {
    const double value = array.Value(row);
    if (value == 0 || (nulls && array.IsNull(row))) continue;
    if (!std::isfinite(value)) return std::nullopt;
    const Mantissa mantissa = Split(value);
    const auto magnitude = static_cast<uint64_t>(std::abs(mantissa.integer));
    lowest = std::min(lowest, mantissa.exponent + std::countr_zero(magnitude));
    highest = std::max(highest, mantissa.exponent + static_cast<int>(std::bit_width(magnitude)));
  }
  if (lowest > highest) return 0;
  // What enters a set may be counted before what leaves it is.
  const int carries = static_cast<int>(std::bit_width(static_cast<uint64_t>(array.length()))) + 1;
  if (highest - lowest + carries > 126) return std::nullopt;
  return lowest;
}

__int128 ToFixed(double value, int unit) {
  const Mantissa mantissa = Split(value);
  const int shift = mantissa.exponent - unit;
  return shift >= 0 ? __int128{mantissa.integer} << shift
                    : __int128{mantissa.integer >> std::min(-shift, 63)};
}

}  // namespace

int64_t OrderKey(double value) {
  if (std::isnan(value)) return std::numeric_limits<int64_t>::max();
  const auto bits = std::bit_cast<int64_t>(value);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<int64_t>::max();
}

arrow::Result<AggregateValues> AggregateValues::Make(const std::shared_ptr<arrow::Array>& array) {
  AggregateValues values;
  VIAND_ASSIGN_OR_RETURN(values.array_, DecodeDictionary(array, nullptr));
  if (HasWords(*values.array_->type())) values.words_ = Words::Of(values.array_);
  return values;
}

AggregateValues AggregateValues::MakeCompared(std::shared_ptr<arrow::Array> array) {
  AggregateValues values;
  values.array_ = std::move(array);
  return values;
}

const double* AggregateValues::Doubles() const {
  return static_cast<const arrow::DoubleArray&>(*array_).raw_values();
}

const AggregateValues::FixedPoint* AggregateValues::Fixed() {
  if (!fixed_is_known_) {
    fixed_is_known_ = true;
    const auto& array = static_cast<const arrow::DoubleArray&>(*array_);
    if (const std::optional<int> unit = FixedPointExponent(array)) {
      fixed_.emplace(FixedPoint{*unit, std::vector<__int128>(array.length())});
      const bool nulls = array.null_count() != 0;
      for (int64_t row = 0; row < array.length(); ++row) {
        if (!nulls || array.IsValid(row)) fixed_->integers[row] = ToFixed(array.Value(row), *unit);
      }
    }
  }
  return fixed_ ? &*fixed_ : nullptr;
}

arrow::Result<const std::vector<int32_t>*> AggregateValues::Codes() {
  if (codes_.empty() && array_->length() > 0) {
    VIAND_ASSIGN_OR_RETURN(const KeyColumn column, KeyColumn::Make(array_, true, &codes_));
    code_count_ = column.size();
  }
  return &codes_;
}

arrow::Result<const int64_t*> AggregateValues::OrderKeys() {
  const arrow::Type::type id = array_->type_id();
  if (words_ && id != arrow::Type::UINT64) return words_->data();
  if (!order_keys_.empty() || array_->length() == 0) return order_keys_.data();
  if (id == arrow::Type::DOUBLE || id == arrow::Type::FLOAT) {
    order_keys_ = DoubleKeys(*array_);
  } else if (words_) {
    order_keys_.assign(words_->data(), words_->data() + array_->length());
    for (int64_t& key : order_keys_) key ^= std::numeric_limits<int64_t>::min();
  } else if (arrow::is_base_binary_like(id)) {
    VIAND_RETURN_NOT_OK(Codes().status());
    const bool large = arrow::is_large_binary_like(id);
    order_keys_ = large ? RankKeys<arrow::LargeBinaryArray>(*array_, codes_, code_count_)
                        : RankKeys<arrow::BinaryArray>(*array_, codes_, code_count_);
  } else {
    return MakeError(ErrorKind::kInput,
                     "values of type " + array_->type()->ToString() + " have no order");
  }
  return order_keys_.data();
}

}  // namespace viand::engine
