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

PoolVector<int64_t> DoubleKeys(const arrow::Array& array) {
  PoolVector<int64_t> keys(array.length());
  const bool is_double = array.type_id() == arrow::Type::DOUBLE;
  for (int64_t i = 0; i < array.length(); ++i) {
    keys[i] = OrderKey(is_double ? static_cast<const arrow::DoubleArray&>(array).Value(i)
                                 : double{static_cast<const arrow::FloatArray&>(array).Value(i)});
  }
  return keys;
}

// Ranks of the distinct strings among themselves: codes name them, one row each shows their text.
template <typename BinaryArray>
PoolVector<int64_t> RankKeys(const arrow::Array& array, const PoolVector<int32_t>& codes,
                             int64_t code_count) {
  const auto& typed = static_cast<const BinaryArray&>(array);
  PoolVector<std::string_view> text(code_count);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (codes[i] >= 0) text[codes[i]] = typed.GetView(i);
  }
  PoolVector<int64_t> sorted(code_count);
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(), [&](int64_t a, int64_t b) { return text[a] < text[b]; });
  PoolVector<int64_t> rank(code_count);
  for (int64_t i = 0; i < code_count; ++i) rank[sorted[i]] = i;
  PoolVector<int64_t> keys(array.length());
  for (int64_t i = 0; i < array.length(); ++i) keys[i] = codes[i] < 0 ? 0 : rank[codes[i]];
  return keys;
}

// The unit that divides all values, and how many bits the greatest of them then has.
std::optional<AggregateValues::FixedPoint> FixedPointOf(const arrow::DoubleArray& array) {
  int lowest = std::numeric_limits<int>::max();
  int highest = std::numeric_limits<int>::min();
  const double* values = array.raw_values();
  const bool nulls = array.null_count() != 0;
  for (int64_t row = 0; row < array.length(); ++row) {
    const auto bits = std::bit_cast<uint64_t>(values[row]) & ~(uint64_t{1} << 63);
    if (bits == 0 || (nulls && array.IsNull(row))) continue;
    const int biased = static_cast<int>(bits >> 52);
    if (biased == 0x7ff) return std::nullopt;
    const uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
    const uint64_t magnitude = biased ? fraction | uint64_t{1} << 52 : fraction;
    const int exponent = std::max(biased, 1) - 1075;
    lowest = std::min(lowest, exponent + std::countr_zero(magnitude));
    highest = std::max(highest, exponent + static_cast<int>(std::bit_width(magnitude)));
  }
  if (lowest > highest) return AggregateValues::FixedPoint{};
  if (highest - lowest > 126) return std::nullopt;
  return AggregateValues::FixedPoint{lowest, highest - lowest};
}

}  // namespace

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

const std::optional<AggregateValues::FixedPoint>& AggregateValues::Fixed() {
  if (!fixed_is_known_) {
    fixed_is_known_ = true;
    fixed_ = FixedPointOf(static_cast<const arrow::DoubleArray&>(*array_));
  }
  return fixed_;
}

arrow::Result<const PoolVector<int32_t>*> AggregateValues::Codes() {
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
