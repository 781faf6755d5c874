// sum, avg, var, stddev: exact until the one rounding.
//
// Doubles are summed as 128-bit integers in units of the lowest bit that any of them has, where
// their range allows it (it does for usual data: AggregateValues::Fixed); else by ExactSum. Both
// are exact, so the choice does not show.
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
std::vector<Wide> PlainSums(const Members& members, const Sets& sets, ValueOf&& value_of) {
  std::vector<Wide> sums(sets.size() + 1);
  for (int64_t i = 0; i < members.size(); ++i) {
    const Wide value = value_of(members[i].value);
    sums[members[i].enter] += value;
    sums[members[i].leave] -= value;
  }
  for (int64_t set = 1; set <= sets.size(); ++set) sums[set] += sums[set - 1];
  return sums;
}

template <typename ValueOf>
std::vector<Wide> PlainSums(const Spans& spans, const Sets& sets, ValueOf&& value_of) {
  std::vector<Wide> sums(sets.size());
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    Wide sum = 0;
    Slide(
        spans, sets, segment, [&](int64_t row) { sum += value_of(row); },
        [&](int64_t row) { sum -= value_of(row); }, [&](int64_t set) { sums[set] = sum; });
  }
  return sums;
}

std::vector<int64_t> CountsOf(const Members& members, const Sets& sets) {
  return CountMembers(members, sets);
}

std::vector<int64_t> CountsOf(const Spans& spans, const Sets& sets) {
  std::vector<int64_t> counts(sets.size());
  for (int64_t set = 0; set < sets.size(); ++set) counts[set] = spans.size(set);
  return counts;
}

template <typename Add, typename Remove, typename Emit>
void SlideRows(const Spans& spans, const Sets& sets, int64_t segment, std::vector<int64_t>*,
               Add&& add, Remove&& remove, Emit&& emit) {
  Slide(spans, sets, segment, add, remove, emit);
}

template <typename Add, typename Remove, typename Emit>
void SlideRows(const Members& members, const Sets& sets, int64_t segment,
               std::vector<int64_t>* scratch, Add&& add, Remove&& remove, Emit&& emit) {
  Sweep(
      members, sets, segment, scratch, [&](int64_t i, int64_t) { add(members[i].value); },
      [&](int64_t i, int64_t) { remove(members[i].value); }, emit);
}

arrow::Status Overflow(const expression::AggregateCall& call, int64_t set, const Sets& sets,
                       const AggregateContext& context) {
  const auto after = std::upper_bound(sets.begin.begin(), sets.begin.end(), set);
  const int32_t key = sets.key[after - sets.begin.begin() - 1];
  const SourceLocation where = call.argument ? call.argument->where : SourceLocation{};
  return ErrorAt(where, ErrorKind::kInput,
                 expression::ToSql(call) + " exceeds bigint for key " + context.name_key(key),
                 "sum it as double: sum(cast(x as double))");
}

ArrayResult IntegerSums(const expression::AggregateCall& call, const std::vector<Wide>& sums,
                        const std::vector<int64_t>& counts, const Sets& sets,
                        const AggregateContext& context) {
  arrow::Int64Builder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  for (int64_t set = 0; set < sets.size(); ++set) {
    if (counts[set] == 0) {
      out.UnsafeAppendNull();
      continue;
    }
    const auto sum = static_cast<int64_t>(sums[set]);
    if (sum != sums[set]) return Overflow(call, set, sets, context);
    out.UnsafeAppend(sum);
  }
  return out.Finish();
}

// Sums or means of integers in units of 2^unit.
ArrayResult RoundSums(bool mean, const std::vector<Wide>& sums, int unit,
                      const std::vector<int64_t>& counts, const AggregateContext& context) {
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

// `Rows` is Members or Spans.
template <typename Rows>
ArrayResult ExactSums(bool mean, const double* values, const Rows& rows, const Sets& sets,
                      const std::vector<int64_t>& counts, const AggregateContext& context) {
  arrow::DoubleBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  ExactSum sum;
  std::vector<int64_t> scratch;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    sum.Clear();
    SlideRows(
        rows, sets, segment, &scratch, [&](int64_t row) { sum.Add(values[row]); },
        [&](int64_t row) { sum.Subtract(values[row]); },
        [&](int64_t set) {
          if (counts[set] == 0)
            out.UnsafeAppendNull();
          else
            out.UnsafeAppend(sum.RoundMean(mean ? counts[set] : 1));
        });
  }
  return out.Finish();
}

template <typename Rows>
std::vector<Wide> SumsOf(const AggregateValues& values, const AggregateValues::FixedPoint* fixed,
                         const Rows& rows, const Sets& sets) {
  if (fixed != nullptr)
    return PlainSums(rows, sets, [&](int64_t row) { return fixed->integers[row]; });
  const int64_t* integers = values.Integers();
  return PlainSums(rows, sets, [&](int64_t row) { return Wide{integers[row]}; });
}

template <typename Rows>
ArrayResult SumOver(const expression::AggregateCall& call, AggregateValues* values,
                    const Rows& rows, const Sets& sets, std::vector<Wide>* sums,
                    const AggregateContext& context) {
  const std::vector<int64_t> counts = CountsOf(rows, sets);
  const bool mean = call.function == AggregateFunction::kAvg;
  const AggregateValues::FixedPoint* fixed = values->IsDouble() ? values->Fixed() : nullptr;
  if (values->IsDouble() && fixed == nullptr)
    return ExactSums(mean, values->Doubles(), rows, sets, counts, context);
  if (sums->empty()) *sums = SumsOf(*values, fixed, rows, sets);
  if (!values->IsDouble() && !mean) return IntegerSums(call, *sums, counts, sets, context);
  return RoundSums(mean, *sums, fixed != nullptr ? fixed->unit : 0, counts, context);
}

// Adds and subtracts with the member functions of ExactSum for the argument's type.
template <typename Add, typename Subtract>
ArrayResult Variances(bool root, const Members& members, const Sets& sets,
                      const AggregateContext& context, Add&& add, Subtract&& subtract) {
  const std::vector<int64_t> counts = CountMembers(members, sets);
  arrow::DoubleBuilder out(context.pool);
  VIAND_RETURN_NOT_OK(out.Reserve(sets.size()));
  ExactSum sum, squares;
  std::vector<int64_t> scratch;
  for (int64_t segment = 0; segment < sets.segments(); ++segment) {
    sum.Clear();
    squares.Clear();
    Sweep(
        members, sets, segment, &scratch,
        [&](int64_t i, int64_t) { add(members[i].value, &sum, &squares); },
        [&](int64_t i, int64_t) { subtract(members[i].value, &sum, &squares); },
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

ArrayResult SumSets(const expression::AggregateCall& call, AggregateValues* values,
                    const Members& members, const Sets& sets, const AggregateContext& context) {
  std::vector<Wide> sums;
  return SumOver(call, values, members, sets, &sums, context);
}

ArrayResult SumSpans(const expression::AggregateCall& call, AggregateValues* values,
                     const Spans& spans, const Sets& sets, SpanSums* sums,
                     const AggregateContext& context) {
  return SumOver(call, values, spans, sets, &(*sums)[values], context);
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
