#include "src/expression/binder.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "src/expression/aggregate_names.h"
#include "src/expression/function_table.h"
#include "src/expression/interval.h"
#include "src/expression/overload.h"
#include "src/expression/syntax.h"
#include "src/expression/to_sql.h"

namespace viand::expression {
namespace {

using TreeResult = arrow::Result<ExpressionPtr>;

/// Where a part of the tree stands, which decides what it may hold.
enum class Place {
  kTop,          ///< columns, and aggregates where the scope has them
  kRow,          ///< where, per keys, order by: columns only
  kArgument,     ///< of an aggregate over base rows
  kPerArgument,  ///< of an aggregate over groups: inner aggregates only
  kInner,        ///< of an inner aggregate
};

/// `per k where p` of an aggregate, wherever in its argument it was written.
struct PerClause {
  const Syntax* holder = nullptr;
  int count = 0;
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kDateParts = {
    {{"year", "year"},
     {"quarter", "quarter"},
     {"month", "month"},
     {"week", "week"},
     {"weekofyear", "week"},
     {"day", "day"},
     {"dayofmonth", "day"},
     {"doy", "dayofyear"},
     {"dayofyear", "dayofyear"},
     {"dow", "dayofweek"},
     {"dayofweek", "dayofweek"},
     {"isodow", "isodow"},
     {"hour", "hour"},
     {"minute", "minute"},
     {"second", "second"},
     {"epoch", "epoch"},
     {"milliseconds", "millisecond"}}};

class Binder {
 public:
  explicit Binder(const Scope& scope) : scope_(scope) {}

  TreeResult Bind(const Syntax& syntax) {
    VIAND_ASSIGN_OR_RETURN(Argument bound, BindArgument(syntax));
    if (ClassOf(*bound.tree->type) == TypeClass::kMonths) {
      return Error(syntax, "a calendar interval has no value of its own",
                   "months and years stand only beside + or - of a timestamp");
    }
    return bound.tree;
  }

 private:
  static arrow::Status Error(const Syntax& at, std::string message, std::string hint = "") {
    return ErrorAt(at.where, ErrorKind::kDefinition, std::move(message), std::move(hint));
  }

  arrow::Result<Argument> BindArgument(const Syntax& syntax) {
    switch (syntax.kind) {
      case SyntaxKind::kInteger: {
        VIAND_ASSIGN_OR_RETURN(ExpressionPtr tree, Integer(syntax));
        return Argument{std::move(tree), Argument::Literal::kInteger};
      }
      case SyntaxKind::kString: {
        VIAND_ASSIGN_OR_RETURN(
            ExpressionPtr tree,
            MakeLiteral(std::make_shared<arrow::StringScalar>(syntax.text), syntax.where));
        return Argument{std::move(tree), Argument::Literal::kText};
      }
      default: {
        VIAND_ASSIGN_OR_RETURN(ExpressionPtr tree, BindOther(syntax));
        return Argument{std::move(tree), Argument::Literal::kNone};
      }
    }
  }

  TreeResult BindOther(const Syntax& syntax) {
    switch (syntax.kind) {
      case SyntaxKind::kDecimal:
        return Decimal(syntax);
      case SyntaxKind::kBoolean:
        return MakeLiteral(std::make_shared<arrow::BooleanScalar>(syntax.text == "true"),
                           syntax.where);
      case SyntaxKind::kNull:
        return MakeLiteral(arrow::MakeNullScalar(arrow::null()), syntax.where);
      case SyntaxKind::kTypedLiteral:
        return TypedLiteral(syntax);
      case SyntaxKind::kInterval:
        return IntervalLiteral(syntax);
      case SyntaxKind::kName:
        return Name(syntax);
      case SyntaxKind::kCast:
        return BindCast(syntax);
      default:
        return Call(syntax);
    }
  }

  static TreeResult Integer(const Syntax& syntax) {
    int64_t value = 0;
    const char* end = syntax.text.data() + syntax.text.size();
    const auto [stop, error] = std::from_chars(syntax.text.data(), end, value);
    if (error != std::errc() || stop != end) {
      return Error(syntax, fmt::format("{} does not fit bigint", syntax.text),
                   fmt::format("write {}.0 for a double", syntax.text));
    }
    if (value >= INT32_MIN && value <= INT32_MAX) {
      return MakeLiteral(std::make_shared<arrow::Int32Scalar>(static_cast<int32_t>(value)),
                         syntax.where);
    }
    return MakeLiteral(std::make_shared<arrow::Int64Scalar>(value), syntax.where);
  }

  static TreeResult Decimal(const Syntax& syntax) {
    const double value = std::strtod(syntax.text.c_str(), nullptr);
    if (!std::isfinite(value))
      return Error(syntax, fmt::format("{} does not fit double", syntax.text));
    return MakeLiteral(std::make_shared<arrow::DoubleScalar>(value), syntax.where);
  }

  static TreeResult TypedLiteral(const Syntax& syntax) {
    VIAND_ASSIGN_OR_RETURN(TypePtr type, TypeFromSql(syntax.type_name, syntax.type_where));
    VIAND_ASSIGN_OR_RETURN(
        ExpressionPtr text,
        MakeLiteral(std::make_shared<arrow::StringScalar>(syntax.text), syntax.where));
    return MakeCast(text, type, syntax.where);
  }

  static TreeResult IntervalLiteral(const Syntax& syntax) {
    if (syntax.months == 0) {
      return MakeLiteral(std::make_shared<arrow::DurationScalar>(syntax.us, IntervalType()),
                         syntax.where);
    }
    if (syntax.us != 0) {
      return Error(syntax,
                   "an interval of months and days stands only beside + or - of a timestamp");
    }
    if (syntax.months > INT32_MAX || syntax.months < -INT32_MAX)
      return Error(syntax, "the interval is too long");
    return MakeLiteral(
        std::make_shared<arrow::MonthIntervalScalar>(static_cast<int32_t>(syntax.months)),
        syntax.where);
  }

  std::string ScopeText() const {
    return scope_.described_as.empty() ? "" : " in " + scope_.described_as;
  }

  TreeResult Name(const Syntax& syntax) {
    auto node = std::make_shared<Expression>();
    node->where = syntax.where;
    if (!syntax.quoted && syntax.text == "as_of" && scope_.as_of) {
      // A row's values are computed once and shared by every window that the row lies in.
      if (place_ != Place::kTop) {
        return Error(syntax, "as_of inside an aggregate, which is evaluated on rows, not at a time",
                     "use it around aggregates, as in hours(as_of - max(event_time)); a time range "
                     "is the feature's window");
      }
      node->kind = ExpressionKind::kAsOf;
      node->type = TimestampType();
      return node;
    }
    if (place_ == Place::kPerArgument) {
      return Error(
          syntax, fmt::format("column \"{}\" outside the inner aggregate", syntax.text),
          fmt::format("a group is one row: write first({0}), max({0}) or the like", syntax.text));
    }
    const std::vector<int> found = scope_.columns == nullptr
                                       ? std::vector<int>{}
                                       : scope_.columns->GetAllFieldIndices(syntax.text);
    if (found.empty() && scope_.open) {
      node->kind = ExpressionKind::kColumn;
      node->column = syntax.text;
      node->type = UnknownType();
      return node;
    }
    if (found.empty()) return UnknownColumn(syntax);
    if (found.size() > 1) {
      return Error(syntax, fmt::format("there are {} columns \"{}\"{}", found.size(), syntax.text,
                                       ScopeText()));
    }
    node->kind = ExpressionKind::kColumn;
    node->column = syntax.text;
    node->column_index = found[0];
    node->type = ReadType(scope_.columns->field(found[0])->type());
    return node;
  }

  arrow::Status UnknownColumn(const Syntax& syntax) const {
    std::vector<std::string> names;
    if (scope_.columns != nullptr) names = scope_.columns->field_names();
    std::string hint = DidYouMean(syntax.text, names);
    if (syntax.text == "as_of" && !syntax.quoted) {
      hint = "as_of stands only in features and labels";
    } else if (hint.empty() && syntax.quoted) {
      hint = "double quotes are for names; a string is written in single quotes";
    } else if (hint.empty() && !names.empty()) {
      hint = NearestOrAll(syntax.text, names, "columns are ");
    }
    return Error(syntax, fmt::format("unknown column \"{}\"{}", syntax.text, ScopeText()),
                 std::move(hint));
  }

  TreeResult BindCast(const Syntax& syntax) {
    VIAND_ASSIGN_OR_RETURN(TypePtr type, TypeFromSql(syntax.type_name, syntax.type_where));
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr value, Bind(*syntax.args[0]));
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr cast,
                           MakeCast(value, type, syntax.where, syntax.null_on_failure));
    if (cast != value) return cast;
    return value;
  }

  TreeResult Call(const Syntax& syntax) {
    const std::optional<AggregateFunction> aggregate = AggregateFromName(syntax.text);
    if (aggregate) return Aggregate(syntax, *aggregate);
    const bool special =
        syntax.text == "gap" || syntax.text == "date_part" || syntax.text == "datepart";
    if (!special && FindFunctions(syntax.text).empty()) return UnknownFunction(syntax);
    VIAND_RETURN_NOT_OK(CheckTail(syntax));
    if (syntax.text == "gap") return Gap(syntax);
    if (special) return DatePart(syntax);
    if ((syntax.text == "+" || syntax.text == "-") &&
        syntax.args[1]->kind == SyntaxKind::kInterval && syntax.args[1]->months != 0 &&
        syntax.args[1]->us != 0) {
      return AddMixedInterval(syntax);
    }
    std::vector<Argument> args;
    for (const SyntaxPtr& arg : syntax.args) {
      VIAND_ASSIGN_OR_RETURN(Argument bound, BindArgument(*arg));
      args.push_back(std::move(bound));
    }
    return MakeCall(syntax.text, syntax.where, args);
  }

  /// `t + interval '1 month 2 days'` adds the months, then the days, as DuckDB does.
  TreeResult AddMixedInterval(const Syntax& syntax) {
    Syntax months = *syntax.args[1];
    Syntax rest = months;
    months.us = 0;
    rest.months = 0;
    VIAND_ASSIGN_OR_RETURN(Argument time, BindArgument(*syntax.args[0]));
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr first, IntervalLiteral(months));
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr second, IntervalLiteral(rest));
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr sum,
                           MakeCall(syntax.text, syntax.where, {time, Argument{std::move(first)}}));
    return MakeCall(syntax.text, syntax.where,
                    {Argument{std::move(sum)}, Argument{std::move(second)}});
  }

  /// date_part('year', x) is year(x).
  TreeResult DatePart(const Syntax& syntax) {
    if (syntax.args.size() != 2 || syntax.args[0]->kind != SyntaxKind::kString) {
      return Error(syntax, "date_part takes a part as a string literal, and a time");
    }
    const Syntax& part = *syntax.args[0];
    for (const auto& [name, function] : kDateParts) {
      const bool plural = part.text.size() == name.size() + 1 && part.text.ends_with('s') &&
                          part.text.starts_with(name);
      if (part.text != name && !plural) continue;
      VIAND_ASSIGN_OR_RETURN(Argument time, BindArgument(*syntax.args[1]));
      return MakeCall(std::string(function), syntax.where, {time});
    }
    std::vector<std::string> names;
    for (const auto& [name, function] : kDateParts) names.emplace_back(name);
    return Error(part, fmt::format("unknown part of time \"{}\"", part.text),
                 DidYouMean(part.text, names));
  }

  arrow::Status UnknownFunction(const Syntax& syntax) const {
    std::vector<std::string> names = FunctionNames();
    if (scope_.aggregates) {
      for (std::string& name : AggregateNames()) names.push_back(std::move(name));
      names.emplace_back("gap");
    }
    return Error(syntax, fmt::format("unknown function \"{}\"", syntax.text),
                 DidYouMean(syntax.text, names));
  }

  /// Refuses what may follow an aggregate's arguments only. `per` in a scalar function belongs to
  /// the aggregate around.
  arrow::Status CheckTail(const Syntax& syntax) const {
    if (syntax.distinct || syntax.star) {
      return Error(syntax, fmt::format("\"{}\" is no aggregate: it takes no distinct and no *",
                                       syntax.text));
    }
    const bool inside = place_ == Place::kPerArgument;
    if (!syntax.per_keys.empty() && !inside) {
      return Error(*syntax.per_keys[0], "\"per\" outside an aggregate",
                   "it belongs to an aggregate of aggregates: avg(sum(x) per key)");
    }
    const bool belongs = inside && !syntax.per_keys.empty();
    if ((syntax.filter != nullptr && !belongs) || syntax.order_by != nullptr) {
      return Error(syntax, fmt::format("\"{}\" is no aggregate: it takes no where and no order by",
                                       syntax.text));
    }
    return arrow::Status::OK();
  }

  TreeResult Gap(const Syntax& syntax) {
    if (place_ != Place::kArgument && place_ != Place::kPerArgument && place_ != Place::kInner) {
      return Error(syntax, "gap stands only inside an aggregate",
                   "as in avg(days(gap(event_time)))");
    }
    if (in_gap_ || has_gap_) return Error(syntax, "an aggregate takes one gap");
    if (syntax.args.size() != 1) return Error(syntax, "gap takes one argument");
    in_gap_ = has_gap_ = true;
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr values, Bind(*syntax.args[0]));
    in_gap_ = false;
    auto node = std::make_shared<Expression>();
    node->kind = ExpressionKind::kGap;
    node->where = syntax.where;
    // The differences are what x - x makes.
    auto difference = MakeCall("-", syntax.where, {Argument{values}, Argument{values}});
    if (!difference.ok()) {
      return Error(syntax,
                   fmt::format("gap takes times or numbers, not {}", TypeToSql(*values->type)));
    }
    node->type = (*difference)->type;
    node->children = {std::move(values)};
    return node;
  }

  static void FindPer(const Syntax& syntax, bool root, PerClause* found) {
    if (!syntax.per_keys.empty()) {
      found->holder = &syntax;
      ++found->count;
    }
    if (!root && syntax.kind == SyntaxKind::kCall && AggregateFromName(syntax.text)) return;
    for (const SyntaxPtr& arg : syntax.args) FindPer(*arg, false, found);
  }

  TreeResult Aggregate(const Syntax& syntax, AggregateFunction function) {
    if (!scope_.aggregates) {
      return Error(syntax, fmt::format("the aggregate \"{}\" cannot stand here", syntax.text),
                   "aggregates belong into features and labels");
    }
    VIAND_RETURN_NOT_OK(CheckPlace(syntax));
    auto call = std::make_shared<AggregateCall>();
    call->function = function;
    if (place_ == Place::kPerArgument) {
      if (!syntax.per_keys.empty()) return Error(syntax, "an inner aggregate takes no \"per\"");
      VIAND_RETURN_NOT_OK(FillCall(syntax, Place::kInner, nullptr, call.get()));
      return InnerColumn(syntax, std::move(call));
    }
    PerClause per;
    FindPer(syntax, true, &per);
    if (per.count > 1) return Error(syntax, "an aggregate takes one \"per\"");
    VIAND_RETURN_NOT_OK(FillCall(syntax,
                                 per.holder == nullptr ? Place::kArgument : Place::kPerArgument,
                                 per.holder, call.get()));
    if (per.holder != nullptr && call->per_calls.empty()) {
      return Error(syntax, "\"per\" needs an aggregate inside: avg(sum(x) per key)");
    }
    auto node = std::make_shared<Expression>();
    node->kind = ExpressionKind::kAggregate;
    node->type = call->type;
    node->where = syntax.where;
    node->aggregate = std::move(call);
    return node;
  }

  arrow::Status CheckPlace(const Syntax& syntax) const {
    switch (place_) {
      case Place::kArgument:
        return Error(
            syntax,
            fmt::format("the aggregate \"{}\" inside an aggregate lacks its \"per\"", syntax.text),
            "an aggregate of aggregates groups rows by keys: avg(sum(x) per key)");
      case Place::kInner:
        return Error(syntax, "aggregates nested deeper than two");
      case Place::kRow:
        return Error(syntax,
                     fmt::format("the aggregate \"{}\" in a where, per or order by", syntax.text),
                     "these are evaluated on single rows");
      default:
        return arrow::Status::OK();
    }
  }

  /// Makes the column "$i" that stands for an inner aggregate.
  TreeResult InnerColumn(const Syntax& syntax, std::shared_ptr<const AggregateCall> call) {
    auto node = std::make_shared<Expression>();
    node->kind = ExpressionKind::kColumn;
    node->type = call->type;
    node->where = syntax.where;
    const std::string text = ToSql(*call);
    size_t i = 0;
    while (i < per_calls_.size() && ToSql(*per_calls_[i]) != text) ++i;
    if (i == per_calls_.size()) per_calls_.push_back(std::move(call));
    node->column = fmt::format("${}", i);
    node->stands_for = per_calls_[i];
    node->column_index = static_cast<int>(i);
    return node;
  }

  /// Binds everything of a call; `per` is the part of the syntax that holds the per clause, if any.
  arrow::Status FillCall(const Syntax& syntax, Place argument_place, const Syntax* per,
                         AggregateCall* call) {
    const bool outer_gap = std::exchange(has_gap_, false);
    const bool outer_in_gap = std::exchange(in_gap_, false);
    const Place outer = std::exchange(place_, argument_place);
    std::vector<std::shared_ptr<const AggregateCall>> outer_calls = std::exchange(per_calls_, {});
    arrow::Status status = FillArguments(syntax, call);
    call->per_calls = std::exchange(per_calls_, std::move(outer_calls));
    place_ = Place::kRow;
    if (status.ok()) status = FillTail(syntax, per, call);
    place_ = outer;
    has_gap_ = outer_gap;
    in_gap_ = outer_in_gap;
    return status;
  }

  arrow::Status FillTail(const Syntax& syntax, const Syntax* per, AggregateCall* call) {
    const SyntaxPtr* filter = &syntax.filter;
    if (per != nullptr) {
      for (const SyntaxPtr& key : per->per_keys) {
        VIAND_ASSIGN_OR_RETURN(ExpressionPtr bound, Bind(*key));
        call->per_keys.push_back(std::move(bound));
      }
      if (per != &syntax && per->filter != nullptr) {
        if (syntax.filter != nullptr)
          return Error(*syntax.filter, "an aggregate takes one \"where\"");
        filter = &per->filter;
      }
    }
    if (*filter != nullptr) {
      VIAND_ASSIGN_OR_RETURN(call->where, Condition(**filter));
    }
    if (syntax.order_by == nullptr) return arrow::Status::OK();
    if (per != nullptr) return Error(*syntax.order_by, "groups of \"per\" have no order by");
    return OrderBy(syntax, call);
  }

  TreeResult Condition(const Syntax& syntax) {
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr condition, Bind(syntax));
    const TypeClass type = ClassOf(*condition->type);
    if (type != TypeClass::kBoolean && type != TypeClass::kNull && type != TypeClass::kUnknown) {
      return Error(syntax,
                   fmt::format("\"where\" takes a boolean, not {}", TypeToSql(*condition->type)),
                   "compare it, as in x > 0");
    }
    return MakeCast(condition, arrow::boolean(), syntax.where);
  }

  /// `first(x order by e desc)` is last(x order by e), and the other way round.
  arrow::Status OrderBy(const Syntax& syntax, AggregateCall* call) {
    const bool first = call->function == AggregateFunction::kFirst;
    if (!first && call->function != AggregateFunction::kLast &&
        call->function != AggregateFunction::kLastN) {
      return Error(*syntax.order_by, fmt::format("\"{}\" does not depend on an order", syntax.text),
                   "order by belongs to first, last and last_n");
    }
    if (syntax.descending && call->function == AggregateFunction::kLastN) {
      return Error(*syntax.order_by, "last_n takes its rows by ascending order",
                   "order by the negated value to take the least");
    }
    if (syntax.descending)
      call->function = first ? AggregateFunction::kLast : AggregateFunction::kFirst;
    VIAND_ASSIGN_OR_RETURN(call->order_by, Bind(*syntax.order_by));
    return arrow::Status::OK();
  }

  arrow::Status FillArguments(const Syntax& syntax, AggregateCall* call) {
    if (syntax.distinct) {
      if (call->function != AggregateFunction::kCount) {
        return Error(syntax, fmt::format("\"{}\" takes no distinct", syntax.text),
                     "only count does");
      }
      if (syntax.star || syntax.args.empty())
        return Error(syntax, "count(distinct ...) takes one argument");
      call->function = AggregateFunction::kCountDistinct;
    }
    if (call->function == AggregateFunction::kCount && syntax.args.empty()) {
      call->type = arrow::int64();
      return arrow::Status::OK();
    }
    if (syntax.star)
      return Error(syntax, fmt::format("\"{}\" takes no *", syntax.text), "only count does");
    const size_t count = TakesParameter(call->function) && syntax.text != "median" ? 2 : 1;
    if (syntax.args.size() != count) {
      return Error(syntax, fmt::format("\"{}\" takes {} argument{}, not {}", syntax.text, count,
                                       count == 1 ? "" : "s", syntax.args.size()));
    }
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr argument, Bind(*syntax.args[0]));
    if (count == 2) VIAND_RETURN_NOT_OK(Parameter(*syntax.args[1], call));
    return TypeAggregate(syntax.text, syntax.where, std::move(argument), call);
  }

  static bool TakesParameter(AggregateFunction function) {
    return function == AggregateFunction::kQuantile || function == AggregateFunction::kLastN;
  }

  arrow::Status Parameter(const Syntax& syntax, AggregateCall* call) {
    // One value holds all of a key's elements.
    constexpr int64_t kMostElements = 100'000;
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr tree, Bind(syntax));
    const bool literal = tree->kind == ExpressionKind::kLiteral && IsNumber(*tree->type);
    Value value;
    if (literal) {
      VIAND_ASSIGN_OR_RETURN(value, FromScalar(*tree->literal));
    }
    const int64_t* whole = std::get_if<int64_t>(&value);
    const double* fraction = std::get_if<double>(&value);
    if (call->function == AggregateFunction::kLastN) {
      if (whole == nullptr || *whole < 1 || *whole > kMostElements) {
        return Error(syntax,
                     fmt::format("last_n takes a whole number from 1 to {}", kMostElements));
      }
      call->count = *whole;
      return arrow::Status::OK();
    }
    const double q = whole != nullptr      ? static_cast<double>(*whole)
                     : fraction != nullptr ? *fraction
                                           : -1;
    if (!(q >= 0 && q <= 1))
      return Error(syntax, "quantile takes a number from 0 to 1 as second argument");
    call->quantile = q;
    return arrow::Status::OK();
  }

  const Scope& scope_;
  Place place_ = Place::kTop;
  bool in_gap_ = false;
  bool has_gap_ = false;
  std::vector<std::shared_ptr<const AggregateCall>> per_calls_;  ///< of the aggregate being bound
};

}  // namespace

arrow::Result<ExpressionPtr> Bind(const SyntaxPtr& syntax, const Scope& scope) {
  return Binder(scope).Bind(*syntax);
}

arrow::Result<ExpressionPtr> ParseAndBind(std::string_view text, const Scope& scope,
                                          const SourceLocation& where) {
  VIAND_ASSIGN_OR_RETURN(SyntaxPtr syntax, Parse(text, where));
  return Bind(syntax, scope);
}

}  // namespace viand::expression
