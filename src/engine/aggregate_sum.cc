// sum, avg, var, stddev: exact until the one rounding.
//
// As in sliding_aggregates.cc doubles are 128-bit integers where their range allows it.
#include <arrow/builder.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "src/engine/aggregate_function.h"
#include "src/engine/exact_sum.h"
#include "src/expression/to_sql.h"

namespace viand::engine {
namespace {

using Wide = __int128;
using expression::AggregateFunction;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

// Sums of each set of value_of(row), which must not overflow over all members.
template <typename ValueOf>
PoolVector<Wide> PlainSums(const Members& members, const Sets& sets, ValueOf&& value_of) {
  PoolVector<Wide> sums(sets.size() + 1, 0);
  for (int64_t i = 0; i < members.size(); ++i) {
    const Wide value = value_of(members[i].value);
    sums[members[i].enter] += value;
    sums[members[i].leave] -= value;
  }
  for (int64_t set = 1; set <= sets.size(); ++set) sums[set] += sums[set - 1];
  return sums;
}

ArrayResult IntegerSums(const expression::AggregateCall& call, const PoolVector<Wide>& sums,
                        const PoolVector<int64_t>& counts, const Sets& sets,
                        const AggregateContext& context) {
  arrow::Int64Builder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  for (int64_t set = 0; set < sets.size(); ++set) {
    if (counts[set] == 0) {
      out.UnsafeAppendNull();
      continue;
    }
    const auto sum = static_cast<int64_t>(sums[set]);
    if (sum != sums[set]) return SumOverflow(call, set, sets, context);
    out.UnsafeAppend(sum);
  }
  return out.Finish();
}

// Sums or means of integers in units of 2^unit.
ArrayResult RoundSums(bool mean, const PoolVector<Wide>& sums, int unit,
                      const PoolVector<int64_t>& counts, const AggregateContext& context) {
  arrow::DoubleBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(counts.size()));
  for (size_t set = 0; set < counts.size(); ++set) {
    if (counts[set] == 0)
      out.UnsafeAppendNull();
    else
      out.UnsafeAppend(RoundRatio(sums[set], mean ? counts[set] : 1, unit));
  }
  return out.Finish();
}

ArrayResult ExactSums(bool mean, const double* values, const Members& members, const Sets& sets,
                      const PoolVector<int64_t>& counts, const AggregateContext& context) {
  arrow::DoubleBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  ExactSum sum;
  PoolVector<int64_t> scratch;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    sum.Clear();
    Sweep(
        members, sets, segment, &scratch,
        [&](int64_t i, int64_t) { sum.Add(values[members[i].value]); },
        [&](int64_t i, int64_t) { sum.Subtract(values[members[i].value]); },
        [&](int64_t set) {
          if (counts[set] == 0)
            out.UnsafeAppendNull();
          else
            out.UnsafeAppend(sum.RoundMean(mean ? counts[set] : 1));
        });
  }
  return out.Finish();
}

// Adds and subtracts with the member functions of ExactSum for the argument's type.
template <typename Add, typename Subtract>
ArrayResult Variances(bool root, const Members& members, const Sets& sets,
                      const AggregateContext& context, Add&& add, Subtract&& subtract) {
  const PoolVector<int64_t> counts = CountMembers(members, sets, context.tallies);
  arrow::DoubleBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  ExactSum sum, squares;
  const auto tally_of = [&](int64_t i) {
    return context.tallies == nullptr ? nullptr : context.tallies->At(members[i].value);
  };
  PoolVector<int64_t> scratch;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    sum.Clear();
    squares.Clear();
    Sweep(
        members, sets, segment, &scratch,
        [&](int64_t i, int64_t) {
          add(members[i].value, &sum, &squares);
          if (const Tally* tally = tally_of(i)) {
            sum.Merge(tally->sum);
            squares.Merge(tally->squares);
          }
        },
        [&](int64_t i, int64_t) {
          subtract(members[i].value, &sum, &squares);
          if (const Tally* tally = tally_of(i)) {
            sum.Unmerge(tally->sum);
            squares.Unmerge(tally->squares);
          }
        },
        [&](int64_t set) {
          const auto count = static_cast<uint64_t>(counts[set]);
          if (count < 2)
            out.UnsafeAppendNull();
          else
            out.UnsafeAppend((root ? SampleStddev : SampleVariance)(count, sum, squares));
        });
  }
  return out.Finish();
}

}  // namespace

arrow::Status SumOverflow(const expression::AggregateCall& call, int64_t set, const Sets& sets,
                          const AggregateContext& context) {
  const auto after = std::upper_bound(sets.begin.begin(), sets.begin.end(), set);
  const int32_t key = sets.key[after - sets.begin.begin() - 1];
  const SourceLocation where = call.argument ? call.argument->where : SourceLocation{};
  return ErrorAt(where, ErrorKind::kInput,
                 expression::ToSql(call) + " exceeds bigint for key " + context.name_key(key),
                 "sum it as double: sum(cast(x as double))");
}

ArrayResult SumSets(const expression::AggregateCall& call, AggregateValues* values,
                    const Members& members, const Sets& sets, const AggregateContext& context) {
  const PoolVector<int64_t> counts = CountMembers(members, sets);
  const bool mean = call.function == AggregateFunction::kAvg;
  if (!values->IsDouble()) {
    const int64_t* integers = values->Integers();
    const auto sums = PlainSums(members, sets, [&](int64_t row) { return Wide{integers[row]}; });
    return mean ? RoundSums(mean, sums, 0, counts, context)
                : IntegerSums(call, sums, counts, sets, context);
  }
  const double* doubles = values->Doubles();
  const auto& fixed = values->Fixed();
  // What enters a set may be counted before what leaves it is.
  const int carries = static_cast<int>(std::bit_width(static_cast<uint64_t>(members.size()))) + 1;
  if (!fixed || fixed->bits + carries > 126)
    return ExactSums(mean, doubles, members, sets, counts, context);
  const int unit = fixed->unit;
  const auto sums =
      PlainSums(members, sets, [&](int64_t row) { return ToFixed<Wide>(doubles[row], unit); });
  return RoundSums(mean, sums, unit, counts, context);
}

ArrayResult VarianceOfSets(bool root, AggregateValues* values, const Members& members,
                           const Sets& sets, const AggregateContext& context) {
  if (values->IsDouble()) {
    const double* doubles = values->Doubles();
    return Variances(
        root, members, sets, context,
        [&](int64_t row, ExactSum* sum, ExactSum* squares) {
          sum->Add(doubles[row]);
          squares->AddSquare(doubles[row]);
        },
        [&](int64_t row, ExactSum* sum, ExactSum* squares) {
          sum->Subtract(doubles[row]);
          squares->SubtractSquare(doubles[row]);
        });
  }
  const int64_t* integers = values->Integers();
  return Variances(
      root, members, sets, context,
      [&](int64_t row, ExactSum* sum, ExactSum* squares) {
        sum->AddInteger(integers[row]);
        squares->AddIntegerSquare(integers[row]);
      },
      [&](int64_t row, ExactSum* sum, ExactSum* squares) {
        sum->SubtractInteger(integers[row]);
        squares->SubtractIntegerSquare(integers[row]);
      });
}

}  // namespace viand::engine
