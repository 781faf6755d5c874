#include "src/engine/aggregate_function.h"

#include <arrow/builder.h>

namespace viand::engine {
namespace {

using expression::AggregateFunction;

arrow::Result<std::shared_ptr<arrow::Array>> CountSets(const Members& members, const Sets& sets,
                                                       const AggregateContext& context) {
  const PoolVector<int64_t> counts = CountMembers(members, sets);
  arrow::Int64Builder out(context.pool);
  VIAND_RETURN_NOT_OK(out.AppendValues(counts.data(), sets.size()));
  return out.Finish();
}

// any: is one of them true? all: is none of them false?
arrow::Result<std::shared_ptr<arrow::Array>> AnyOrAll(bool any, AggregateValues* values,
                                                      const Members& members, const Sets& sets,
                                                      const AggregateContext& context) {
  const int64_t* words = values->Integers();
  const PoolVector<int64_t> counts = CountMembers(members, sets);
  const PoolVector<int64_t> decisive = CountMembers(
      Filter(members, [&](int64_t value) { return (words[value] != 0) == any; }), sets);
  arrow::BooleanBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  for (int64_t set = 0; set < sets.size(); ++set) {
    if (counts[set] == 0)
      out.UnsafeAppendNull();
    else
      out.UnsafeAppend((decisive[set] > 0) == any);
  }
  return out.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> Dispatch(const expression::AggregateCall& call,
                                                      AggregateValues* values,
                                                      const Members& members, const Sets& sets,
                                                      const AggregateContext& context) {
  switch (call.function) {
    case AggregateFunction::kCount:
      return CountSets(members, sets, context);
    case AggregateFunction::kCountDistinct:
      return CountDistinctOfSets(values, members, sets, context);
    case AggregateFunction::kApproxCountDistinct:
      return ApproxDistinctOfSets(values, members, sets, context);
    case AggregateFunction::kSum:
    case AggregateFunction::kAvg:
      return SumSets(call, values, members, sets, context);
    case AggregateFunction::kStddev:
      return VarianceOfSets(true, values, members, sets, context);
    case AggregateFunction::kVar:
      return VarianceOfSets(false, values, members, sets, context);
    case AggregateFunction::kQuantile:
      return QuantileOfSets(call.quantile, values, members, sets, context);
    case AggregateFunction::kAny:
      return AnyOrAll(true, values, members, sets, context);
    case AggregateFunction::kAll:
      return AnyOrAll(false, values, members, sets, context);
    case AggregateFunction::kMode:
      return ModeOfSets(values, members, sets, context);
    case AggregateFunction::kLastN:
      return LastOfSets(call.count, values, members, sets, context);
    default:
      return ExtremesOfSets(call.function, values, members, sets, context);
  }
}

}  // namespace

PoolVector<int64_t> CountMembers(const Members& members, const Sets& sets,
                                 const RowTallies* tallies) {
  // Differences from set to set; all of a segment are gone when the next begins.
  PoolVector<int64_t> counts(sets.size() + 1, 0);
  for (int64_t i = 0; i < members.size(); ++i) {
    const int64_t rows = tallies == nullptr ? 1 : tallies->CountAt(members[i].value);
    counts[members[i].enter] += rows;
    counts[members[i].leave] -= rows;
  }
  for (int64_t set = 1; set <= sets.size(); ++set) counts[set] += counts[set - 1];
  counts.resize(sets.size());
  return counts;
}

arrow::Result<std::shared_ptr<arrow::Array>> AggregateSets(const expression::AggregateCall& call,
                                                           AggregateValues* values,
                                                           const Members& members, const Sets& sets,
                                                           const AggregateContext& context) {
  if (values == nullptr || !values->HasNulls())
    return Dispatch(call, values, members, sets, context);
  const Members valid = Filter(members, [&](int64_t value) { return !values->IsNull(value); });
  return Dispatch(call, values, valid, sets, context);
}

}  // namespace viand::engine
