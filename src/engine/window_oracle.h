// Window aggregates as they read: for one (key, t) look at every row, then at every value. What the
// kernels must equal, bit by bit. Values are those of the row evaluator.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "src/engine/aggregate_values.h"
#include "src/engine/exact_sum.h"
#include "src/engine/hyperloglog.h"
#include "src/engine/key_hash.h"
#include "src/engine/time_window.h"
#include "src/expression/expression.h"
#include "src/expression/overload.h"
#include "src/expression/row_evaluator.h"

namespace viand::engine {

using expression::IsNull;
using expression::Value;
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

inline bool InWindow(__int128 x, __int128 t, const TimeWindow& window) {
  if (window.following) return t <= x && x < t + window.length_us;
  return x < t && (window.unbounded || x >= t - window.length_us);
}

inline bool ValueLess(const Value& a, const Value& b) {
  if (!std::holds_alternative<double>(a)) return a < b;
  return OrderKey(std::get<double>(a)) < OrderKey(std::get<double>(b));
}

// Equal values made identical.
inline Value Unified(Value value) {
  if (auto* number = std::get_if<double>(&value))
    *number = std::isnan(*number) ? std::nan("") : *number + 0;
  return value;
}

inline double AsDouble(const Value& value) {
  return std::holds_alternative<double>(value) ? std::get<double>(value)
                                               : static_cast<double>(std::get<int64_t>(value));
}

inline Value QuantileOracle(Row values, double quantile) {
  std::sort(values.begin(), values.end(), ValueLess);
  const double place = static_cast<double>(values.size() - 1) * quantile;
  const double below = AsDouble(values[static_cast<size_t>(std::floor(place))]);
  const double above = AsDouble(values[static_cast<size_t>(std::ceil(place))]);
  if (std::floor(place) == std::ceil(place)) return below;
  const double share = place - std::floor(place);
  return below * (1.0 - share) + above * share;
}

inline Value VarianceOracle(const Row& values, bool root) {
  ExactSum sum, squares;
  for (const Value& value : values) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      sum.AddInteger(*integer);
      squares.AddIntegerSquare(*integer);
    } else {
      sum.Add(std::get<double>(value));
      squares.AddSquare(std::get<double>(value));
    }
  }
  if (values.size() < 2) return {};
  return (root ? SampleStddev : SampleVariance)(values.size(), sum, squares);
}

inline Value SumOracle(const Row& values, bool mean) {
  ExactSum sum;
  __int128 integers = 0;
  for (const Value& value : values) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      sum.AddInteger(*integer);
      integers += *integer;
    } else {
      sum.Add(std::get<double>(value));
    }
  }
  if (mean) return sum.RoundMean(values.size());
  if (std::holds_alternative<int64_t>(values[0])) return static_cast<int64_t>(integers);
  return sum.Round();
}

inline Value ApproxOracle(const Row& values) {
  std::array<int32_t, kHyperLogLogMostRank + 1> histogram{};
  std::vector<int32_t> registers(kHyperLogLogRegisters);
  for (const Value& value : values) {
    uint64_t word = 0;
    if (const auto* text = std::get_if<std::string>(&value))
      word = HashBytes(*text);
    else if (const auto* number = std::get_if<double>(&value))
      word = HashWord(OrderKey(*number + 0));
    else if (const auto* integer = std::get_if<int64_t>(&value))
      word = HashWord(*integer);
    else
      word = HashWord(std::get<bool>(value));
    const HyperLogLogMark mark = HyperLogLogMarkOf(word);
    registers[mark.register_index] = std::max(registers[mark.register_index], mark.rank);
  }
  for (const int32_t rank : registers) ++histogram[rank];
  return EstimateHyperLogLog(histogram);
}

inline Value ModeOracle(const Row& values) {
  Value best;
  int64_t most = 0;
  for (const Value& value : values) {
    const auto same = [&](const Value& other) {
      return !ValueLess(Unified(value), Unified(other)) &&
             !ValueLess(Unified(other), Unified(value));
    };
    const int64_t count = std::count_if(values.begin(), values.end(), same);
    if (count > most || (count == most && ValueLess(Unified(value), best))) best = Unified(value);
    most = std::max(most, count);
  }
  return best;
}

// One value, or the list of last_n; nothing is null.
inline Row FunctionOracle(const expression::AggregateCall& call, const Row& values) {
  using enum expression::AggregateFunction;
  const auto less = [](const Value& a, const Value& b) { return ValueLess(a, b); };
  const auto size = static_cast<int64_t>(values.size());
  if (call.function == kCount) return {size};
  if (call.function == kApproxCountDistinct) return {ApproxOracle(values)};
  if (call.function == kCountDistinct) {
    std::set<Value, decltype(less)> distinct(less);
    for (const Value& value : values) distinct.insert(Unified(value));
    return {static_cast<int64_t>(distinct.size())};
  }
  if (values.empty()) return {};
  const auto is = [](bool wanted) {
    return [wanted](const Value& value) { return std::get<bool>(value) == wanted; };
  };
  switch (call.function) {
    case kSum:
    case kAvg:
      return {SumOracle(values, call.function == kAvg)};
    case kMin:
      return {*std::min_element(values.begin(), values.end(), less)};
    case kMax:
      return {*std::max_element(values.begin(), values.end(), less)};
    case kFirst:
      return {values.front()};
    case kLast:
      return {values.back()};
    case kStddev:
    case kVar:
      return {VarianceOracle(values, call.function == kStddev)};
    case kQuantile:
      return {QuantileOracle(values, call.quantile)};
    case kAny:
      return {std::any_of(values.begin(), values.end(), is(true))};
    case kAll:
      return {std::all_of(values.begin(), values.end(), is(true))};
    case kMode:
      return {ModeOracle(values)};
    default:
      return Row(values.rbegin(), values.rbegin() + std::min(size, call.count));
  }
}

inline const expression::Expression* GapIn(const expression::ExpressionPtr& tree) {
  if (tree->kind == expression::ExpressionKind::kGap) return tree.get();
  for (const auto& child : tree->children) {
    if (const auto* gap = GapIn(child)) return gap;
  }
  return nullptr;
}

// The tree with its gap replaced by the difference of columns 0 and 1.
inline expression::ExpressionPtr WithDifference(const expression::ExpressionPtr& tree) {
  if (tree->kind == expression::ExpressionKind::kGap) {
    std::vector<expression::Argument> columns;
    for (int i = 0; i < 2; ++i) {
      auto column = std::make_shared<expression::Expression>();
      column->kind = expression::ExpressionKind::kColumn;
      column->type = tree->children[0]->type;
      column->column_index = i;
      columns.push_back({column});
    }
    return *expression::MakeCall("-", tree->where, columns);
  }
  auto copy = std::make_shared<expression::Expression>(*tree);
  for (auto& child : copy->children) child = WithDifference(child);
  return copy;
}

inline Rows GapOracle(const expression::AggregateCall& call, const Rows& rows) {
  Row sorted;
  for (const Row& row : rows) {
    const Value value = *EvaluateRow(*GapIn(call.argument)->children[0], row);
    if (!IsNull(value)) sorted.push_back(value);
  }
  std::stable_sort(sorted.begin(), sorted.end(), ValueLess);
  Rows pairs;
  for (size_t i = 1; i < sorted.size(); ++i) pairs.push_back({sorted[i], sorted[i - 1]});
  return pairs;
}

// `rows` in order of (time, position).
inline Row CallOracle(const expression::AggregateCall& call, Rows rows) {
  if (call.where) {
    std::erase_if(rows,
                  [&](const Row& row) { return *EvaluateRow(*call.where, row) != Value(true); });
  }
  if (!call.per_keys.empty()) {
    const auto less = [](const Row& a, const Row& b) {
      return std::lexicographical_compare(
          a.begin(), a.end(), b.begin(), b.end(), [](const Value& x, const Value& y) {
            return x.index() != y.index() ? x.index() < y.index() : ValueLess(x, y);
          });
    };
    std::map<Row, size_t, decltype(less)> group_of(less);
    std::vector<Rows> groups;
    for (const Row& row : rows) {
      Row key;
      for (const auto& e : call.per_keys) key.push_back(Unified(*EvaluateRow(*e, row)));
      const auto [at, is_new] = group_of.try_emplace(key, groups.size());
      if (is_new) groups.emplace_back();
      groups[at->second].push_back(row);
    }
    rows.clear();
    for (const Rows& group : groups) {
      Row& inner = rows.emplace_back();
      for (const auto& c : call.per_calls) {
        const Row value = CallOracle(*c, group);
        inner.push_back(value.empty() ? Value() : value[0]);
      }
    }
  }
  if (call.order_by) {
    const bool nulls_last = call.function == expression::AggregateFunction::kFirst;
    std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      const Value x = *EvaluateRow(*call.order_by, a), y = *EvaluateRow(*call.order_by, b);
      if (IsNull(x) || IsNull(y))
        return nulls_last ? !IsNull(x) && IsNull(y) : IsNull(x) && !IsNull(y);
      return ValueLess(Unified(x), Unified(y));
    });
  }
  expression::ExpressionPtr argument = call.argument;
  if (argument && GapIn(argument)) {
    rows = GapOracle(call, rows);
    argument = WithDifference(argument);
  }
  Row values;
  for (const Row& row : rows) {
    const Value value = argument ? *EvaluateRow(*argument, row) : Value(true);
    if (!IsNull(value)) values.push_back(value);
  }
  return FunctionOracle(call, values);
}

}  // namespace viand::engine
