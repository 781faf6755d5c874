// What rows that were left out of a summary (window_summary.h) add to one that stays: their number
// and the exact sums of their values. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/common/pool_vector.h"
#include "src/engine/aggregate_values.h"
#include "src/engine/exact_sum.h"
#include "src/expression/expression.h"

namespace arrow {
class Array;
class MemoryPool;
}  // namespace arrow

namespace viand::engine {

/// Rows that are tallied together: those that pass a view's filter and a condition and have an
/// argument, and what is asked of them.
struct TalliedRows {
  expression::ExpressionPtr filter;    ///< null: all
  expression::ExpressionPtr where;     ///< null: all
  expression::ExpressionPtr argument;  ///< null: of count(*)
  bool sums = false;                   ///< of the argument
  bool squares = false;                ///< sums of squares, too

  /// Equal for the same rows.
  std::string Name() const;
};

struct Tally {
  int64_t count = 0;
  __int128 integers = 0;  ///< the sum of an argument that is no double
  ExactSum sum;           ///< of one that is; with `squares` of any
  ExactSum squares;

  /// `values` are the argument's; what `rows` asks for is added.
  void AddRow(const TalliedRows& rows, const AggregateValues* values, int64_t row);
  void Merge(const Tally& other);

  /// Bytes of this machine's order, for another process of this plan.
  std::string Serialize() const;
  static arrow::Result<Tally> Parse(std::string_view bytes);
};

/// Tallies by row; few rows have one.
class RowTallies {
 public:
  explicit RowTallies(int64_t rows) : at_(rows, -1) {}
  /// Reads an array of Serialize's bytes, its rows being those from first_row on.
  arrow::Status Add(const arrow::Array& serialized, int64_t first_row);
  /// Those of rows[i] as those of i.
  RowTallies InOrder(const PoolVector<int32_t>& rows) const;

  /// Null where the row has none.
  const Tally* At(int64_t row) const {
    return at_[row] < 0 ? nullptr : &(*tallies_)[static_cast<size_t>(at_[row])];
  }
  int64_t CountAt(int64_t row) const { return at_[row] < 0 ? 1 : 1 + At(row)->count; }

 private:
  PoolVector<int32_t> at_;  // index in tallies_
  std::shared_ptr<std::vector<Tally>> tallies_ = std::make_shared<std::vector<Tally>>();
};

}  // namespace viand::engine
