// The aggregate functions over all sets at once: one value a set, in one pass over the members.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "src/common/error.h"
#include "src/common/pool_vector.h"
#include "src/engine/aggregate_values.h"
#include "src/engine/hyperloglog.h"
#include "src/engine/row_tallies.h"
#include "src/engine/window_members.h"
#include "src/expression/expression.h"

namespace arrow {
class MemoryPool;
}

namespace viand::engine {

struct AggregateContext {
  arrow::MemoryPool* pool = nullptr;
  std::function<std::string(int32_t key)> name_key;  ///< prints a key of Sets::key for errors
  /// Finds what rows with a call's condition and argument stand for, null where for themselves
  /// alone; not set: all do.
  std::function<const RowTallies*(const expression::AggregateCall& call)> tallies_of = {};
  /// Of the call that is computed; null: of rows that stand for themselves.
  const RowTallies* tallies = nullptr;
};

/// Computes call.function over `values`, indexed by members.value; `values` is null for count(*).
/// Nulls are skipped, and a set without values makes null, but for the counts, which make 0. A sum
/// that exceeds bigint is kInput, naming aggregate and key. Of equal values the extremes take the
/// first by order; mode gives 0.0 for -0.0.
arrow::Result<std::shared_ptr<arrow::Array>> AggregateSets(const expression::AggregateCall& call,
                                                           AggregateValues* values,
                                                           const Members& members, const Sets& sets,
                                                           const AggregateContext& context);

/// Returns the number of members of each set, with `tallies` of the rows that they stand for.
PoolVector<int64_t> CountMembers(const Members& members, const Sets& sets,
                                 const RowTallies* tallies = nullptr);

/// What each code of the values does to a sketch: a hash of the value, so that equal values of
/// other batches do the same.
arrow::Result<PoolVector<HyperLogLogMark>> HyperLogLogMarksOf(AggregateValues* values);

/// The error of a sum: names the aggregate, its place and the key of `set`.
arrow::Status SumOverflow(const expression::AggregateCall& call, int64_t set, const Sets& sets,
                          const AggregateContext& context);

// The functions by kind; `members` have no null values.
arrow::Result<std::shared_ptr<arrow::Array>> SumSets(const expression::AggregateCall& call,
                                                     AggregateValues* values,
                                                     const Members& members, const Sets& sets,
                                                     const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> VarianceOfSets(bool root, AggregateValues* values,
                                                            const Members& members,
                                                            const Sets& sets,
                                                            const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> ExtremesOfSets(expression::AggregateFunction function,
                                                            AggregateValues* values,
                                                            const Members& members,
                                                            const Sets& sets,
                                                            const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> LastOfSets(int64_t count, AggregateValues* values,
                                                        const Members& members, const Sets& sets,
                                                        const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> QuantileOfSets(double quantile,
                                                            AggregateValues* values,
                                                            const Members& members,
                                                            const Sets& sets,
                                                            const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> ModeOfSets(AggregateValues* values,
                                                        const Members& members, const Sets& sets,
                                                        const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> CountDistinctOfSets(AggregateValues* values,
                                                                 const Members& members,
                                                                 const Sets& sets,
                                                                 const AggregateContext& context);
arrow::Result<std::shared_ptr<arrow::Array>> ApproxDistinctOfSets(AggregateValues* values,
                                                                  const Members& members,
                                                                  const Sets& sets,
                                                                  const AggregateContext& context);

}  // namespace viand::engine
