// What first, last and last_n with `order by` compare.
#pragma once

#include <cstdint>
#include <utility>

#include "src/engine/aggregate_values.h"

namespace viand::engine {

/// The place of a row by its value: a null comes after all others for first and before all for
/// last, so it never wins over a value; -0.0 equals 0.0. Equal places are in order of time.
class RowOrder {
 public:
  static arrow::Result<RowOrder> Make(bool nulls_last, AggregateValues* by) {
    VIAND_ASSIGN_OR_RETURN(const int64_t* keys, by->OrderKeys());
    return RowOrder(nulls_last, by, keys);
  }

  std::pair<bool, int64_t> operator()(int64_t row) const {
    const bool is_null = by_->IsNull(row);
    return {is_null == nulls_last_, is_null ? 0 : KeyOf(row)};
  }

 private:
  RowOrder(bool nulls_last, const AggregateValues* by, const int64_t* keys)
      : nulls_last_(nulls_last),
        floating_(arrow::is_floating(by->array()->type_id())),
        by_(by),
        keys_(keys) {}

  int64_t KeyOf(int64_t row) const {
    return floating_ && keys_[row] == OrderKey(-0.0) ? OrderKey(0.0) : keys_[row];
  }

  bool nulls_last_;
  bool floating_;
  const AggregateValues* by_;
  const int64_t* keys_;
};

}  // namespace viand::engine
