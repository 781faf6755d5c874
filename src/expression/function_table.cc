#include "src/expression/function_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/expression/comparison.h"
#include "src/expression/logic.h"
#include "src/expression/number_functions.h"
#include "src/expression/row_map.h"
#include "src/expression/text_functions.h"
#include "src/expression/time_functions.h"

namespace viand::expression {
namespace {

using enum Param;

template <class... P>
constexpr Params Args(P... kinds) {
  return {{kinds...}, sizeof...(P), sizeof...(P), Arity::kFixed};
}
constexpr Params Many(Param kind, uint8_t required) { return {{kind}, 1, required, Arity::kMany}; }

/// A strict function whose two evaluators come from one plain function.
template <auto F>
constexpr Function Plain(std::string_view name, Params params, ResultType result) {
  using Traits = FunctionTraits<decltype(F)>;
  // A result narrower than 64 bits is range-checked, so it can fail too.
  const bool fails =
      Traits::kFails || result == ResultType::kInteger || result == ResultType::kDate;
  return {name,
          params,
          result,
          MapBatch<F>,
          MapRow<F>,
          fails ? Failure::kPossible : Failure::kNever,
          Nulls::kPropagate};
}

/// A strict function on integers or floats, by the type of its first argument.
template <auto Integers, auto Floats>
constexpr Function Number(std::string_view name, Params params, ResultType result) {
  constexpr bool kFails =
      FunctionTraits<decltype(Integers)>::kFails || FunctionTraits<decltype(Floats)>::kFails;
  return {name,
          params,
          result,
          NumberBatch<Integers, Floats>,
          NumberRow<Integers, Floats>,
          kFails ? Failure::kPossible : Failure::kNever,
          Nulls::kPropagate};
}

constexpr Function Strict(std::string_view name, Params params, ResultType result,
                          StrictBatch batch, StrictRow row, Failure failure = Failure::kNever) {
  return {name, params, result, batch, row, failure, Nulls::kPropagate};
}
constexpr Function TakesNulls(std::string_view name, Params params, ResultType result,
                              StrictBatch batch, StrictRow row) {
  return {name, params, result, batch, row, Failure::kNever, Nulls::kTakes};
}
constexpr Function Lazy(std::string_view name, Params params, ResultType result, LazyBatch batch,
                        LazyRow row) {
  return {name, params, result, batch, row, Failure::kNever, Nulls::kTakes};
}

template <double (*F)(double)>
double Real(double a) {
  return F(a);
}
template <double (*F)(double, double)>
double Real2(double a, double b) {
  return F(a, b);
}

double Negate(double a) { return -a; }

constexpr auto kPossible = Failure::kPossible;

constexpr Function kTable[] = {
    // Logic.
    Lazy("and", Many(kBoolean, 2), ResultType::kBoolean, AndBatch, AndRow),
    Lazy("or", Many(kBoolean, 2), ResultType::kBoolean, OrBatch, OrRow),
    Plain<&Not>("not", Args(kBoolean), ResultType::kBoolean),
    TakesNulls("is true", Args(kBoolean), ResultType::kBoolean, IsTrueBatch, IsTrueRow),
    TakesNulls("is not true", Args(kBoolean), ResultType::kBoolean, IsNotTrueBatch, IsNotTrueRow),
    TakesNulls("is false", Args(kBoolean), ResultType::kBoolean, IsFalseBatch, IsFalseRow),
    TakesNulls("is not false", Args(kBoolean), ResultType::kBoolean, IsNotFalseBatch,
               IsNotFalseRow),
    Lazy("case", {{kBoolean, kAny}, 2, 3, Arity::kCase}, ResultType::kCommon, CaseBatch, CaseRow),
    Lazy("case of", {{kAny, kAny}, 2, 4, Arity::kCaseOf}, ResultType::kCommon, CaseOfBatch,
         CaseOfRow),
    Lazy("coalesce", Many(kAny, 1), ResultType::kCommon, CoalesceBatch, CoalesceRow),

    // Comparison.
    Strict("=", Args(kAny, kAny), ResultType::kBoolean, EqualBatch, EqualRow),
    Strict("<>", Args(kAny, kAny), ResultType::kBoolean, NotEqualBatch, NotEqualRow),
    Strict("<", Args(kAny, kAny), ResultType::kBoolean, LessBatch, LessRow),
    Strict("<=", Args(kAny, kAny), ResultType::kBoolean, LessEqualBatch, LessEqualRow),
    Strict(">", Args(kAny, kAny), ResultType::kBoolean, GreaterBatch, GreaterRow),
    Strict(">=", Args(kAny, kAny), ResultType::kBoolean, GreaterEqualBatch, GreaterEqualRow),
    TakesNulls("is distinct from", Args(kAny, kAny), ResultType::kBoolean, DistinctBatch,
               DistinctRow),
    TakesNulls("is not distinct from", Args(kAny, kAny), ResultType::kBoolean, NotDistinctBatch,
               NotDistinctRow),
    TakesNulls("is null", Args(kAny), ResultType::kBoolean, IsNullBatch, IsNullRow),
    TakesNulls("is not null", Args(kAny), ResultType::kBoolean, IsNotNullBatch, IsNotNullRow),
    TakesNulls("between", Args(kAny, kAny, kAny), ResultType::kBoolean, BetweenBatch, BetweenRow),
    TakesNulls("in", Many(kAny, 2), ResultType::kBoolean, InBatch, InRow),
    TakesNulls("greatest", Many(kAny, 1), ResultType::kCommon, GreatestBatch, GreatestRow),
    TakesNulls("least", Many(kAny, 1), ResultType::kCommon, LeastBatch, LeastRow),
    TakesNulls("nullif", Args(kAny, kAny), ResultType::kCommon, NullifBatch, NullifRow),

    // Arithmetic.
    Strict("+", Args(kNumber, kNumber), ResultType::kCommon, AddBatch, AddRow, kPossible),
    Plain<&AddIntegers>("+", Args(kDate, kBigint), ResultType::kDate),
    Plain<&AddIntegers>("+", Args(kBigint, kDate), ResultType::kDate),
    Plain<&AddIntegers>("+", Args(kTimestamp, kInterval), ResultType::kFirst),
    Plain<&AddIntegers>("+", Args(kInterval, kTimestamp), ResultType::kSecond),
    Plain<&AddMonthsTo>("+", Args(kTimestamp, kMonths), ResultType::kFirst),
    Plain<&AddIntegers>("+", Args(kInterval, kInterval), ResultType::kInterval),
    Strict("-", Args(kNumber, kNumber), ResultType::kCommon, SubtractBatch, SubtractRow, kPossible),
    Plain<&SubtractIntegers>("-", Args(kDate, kBigint), ResultType::kDate),
    Plain<&SubtractIntegers>("-", Args(kDate, kDate), ResultType::kBigint),
    Plain<&SubtractIntegers>("-", Args(kTimestamp, kInterval), ResultType::kFirst),
    Plain<&SubtractMonthsFrom>("-", Args(kTimestamp, kMonths), ResultType::kFirst),
    Plain<&SubtractIntegers>("-", Args(kTimestamp, kTimestamp), ResultType::kInterval),
    Plain<&SubtractIntegers>("-", Args(kInterval, kInterval), ResultType::kInterval),
    Number<&NegateInteger, &Negate>("unary -", Args(kNumber), ResultType::kCommon),
    Plain<&NegateInteger>("unary -", Args(kInterval), ResultType::kInterval),
    Strict("*", Args(kNumber, kNumber), ResultType::kCommon, MultiplyBatch, MultiplyRow, kPossible),
    Plain<&ScaleInterval>("*", Args(kInterval, kDouble), ResultType::kInterval),
    Strict("/", Args(kFraction, kFraction), ResultType::kCommon, DivideBatch, DivideRow),
    Plain<&DivideInterval>("/", Args(kInterval, kDouble), ResultType::kInterval),
    Number<&DivideIntegers, &DivideWhole>("//", Args(kNumber, kNumber), ResultType::kCommon),
    Number<&RemainderOfIntegers, &RemainderOf>("%", Args(kNumber, kNumber), ResultType::kCommon),

    // Numbers.
    Number<&AbsoluteInteger, &Real<std::fabs>>("abs", Args(kNumber), ResultType::kCommon),
    Number<&SignOfInteger, &SignOf>("sign", Args(kNumber), ResultType::kTinyint),
    Plain<&Real<std::ceil>>("ceil", Args(kFraction), ResultType::kCommon),
    Plain<&Real<std::floor>>("floor", Args(kFraction), ResultType::kCommon),
    Number<&SameInteger, &RoundHalfAway>("round", Args(kNumber), ResultType::kCommon),
    Number<&RoundIntegerTo, &RoundTo>("round", Args(kNumber, kBigint), ResultType::kCommon),
    Number<&SameInteger, &Real<std::trunc>>("trunc", Args(kNumber), ResultType::kCommon),
    Plain<&Real<std::sqrt>>("sqrt", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::cbrt>>("cbrt", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::exp>>("exp", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::log>>("ln", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::log10>>("log10", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::log2>>("log2", Args(kDouble), ResultType::kDouble),
    Plain<&Real2<std::pow>>("pow", Args(kDouble, kDouble), ResultType::kDouble),
    Plain<&Real<std::sin>>("sin", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::cos>>("cos", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::tan>>("tan", Args(kDouble), ResultType::kDouble),
    Plain<&Cotangent>("cot", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::asin>>("asin", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::acos>>("acos", Args(kDouble), ResultType::kDouble),
    Plain<&Real<std::atan>>("atan", Args(kDouble), ResultType::kDouble),
    Plain<&Real2<std::atan2>>("atan2", Args(kDouble, kDouble), ResultType::kDouble),
    Plain<&IsNan>("isnan", Args(kDouble), ResultType::kBoolean),
    Plain<&IsFinite>("isfinite", Args(kDouble), ResultType::kBoolean),
    Plain<&IsInfinite>("isinf", Args(kDouble), ResultType::kBoolean),

    // Text.
    Plain<&Concatenate>("||", Args(kText, kText), ResultType::kVarchar),
    TakesNulls("concat", Many(kText, 1), ResultType::kVarchar, ConcatBatch, ConcatRow),
    Plain<&Like>("like", Args(kVarchar, kVarchar), ResultType::kBoolean),
    Plain<&LikeWithEscape>("like", Args(kVarchar, kVarchar, kVarchar), ResultType::kBoolean),
    Strict("ilike", Args(kVarchar, kVarchar), ResultType::kBoolean, ILikeBatch, ILikeRow),
    Plain<&ILikeWithEscape>("ilike", Args(kVarchar, kVarchar, kVarchar), ResultType::kBoolean),
    Strict("regexp_matches", Args(kVarchar, kLiteral), ResultType::kBoolean, RegexpBatch,
           RegexpRow),
    Plain<&LengthOf>("length", Args(kVarchar), ResultType::kBigint),
    Plain<&BytesOf>("strlen", Args(kVarchar), ResultType::kBigint),
    Strict("lower", Args(kVarchar), ResultType::kVarchar, LowerBatch, MapRow<&Lower>),
    Strict("upper", Args(kVarchar), ResultType::kVarchar, UpperBatch, MapRow<&Upper>),
    Plain<&Trim>("trim", Args(kVarchar), ResultType::kVarchar),
    Plain<&TrimOf>("trim", Args(kVarchar, kVarchar), ResultType::kVarchar),
    Plain<&TrimLeft>("ltrim", Args(kVarchar), ResultType::kVarchar),
    Plain<&TrimLeftOf>("ltrim", Args(kVarchar, kVarchar), ResultType::kVarchar),
    Plain<&TrimRight>("rtrim", Args(kVarchar), ResultType::kVarchar),
    Plain<&TrimRightOf>("rtrim", Args(kVarchar, kVarchar), ResultType::kVarchar),
    Plain<&Substring>("substring", Args(kVarchar, kBigint), ResultType::kVarchar),
    Plain<&SubstringOf>("substring", Args(kVarchar, kBigint, kBigint), ResultType::kVarchar),
    Plain<&LeftOf>("left", Args(kVarchar, kBigint), ResultType::kVarchar),
    Plain<&RightOf>("right", Args(kVarchar, kBigint), ResultType::kVarchar),
    Plain<&StartsWith>("starts_with", Args(kVarchar, kVarchar), ResultType::kBoolean),
    Plain<&EndsWith>("ends_with", Args(kVarchar, kVarchar), ResultType::kBoolean),
    Plain<&Contains>("contains", Args(kVarchar, kVarchar), ResultType::kBoolean),
    Plain<&PositionOf>("strpos", Args(kVarchar, kVarchar), ResultType::kBigint),
    Plain<&Replace>("replace", Args(kVarchar, kVarchar, kVarchar), ResultType::kVarchar),
    Plain<&SplitPart>("split_part", Args(kVarchar, kVarchar, kBigint), ResultType::kVarchar),
    Plain<&Reverse>("reverse", Args(kVarchar), ResultType::kVarchar),
    Plain<&PadLeft>("lpad", Args(kVarchar, kBigint, kVarchar), ResultType::kVarchar),
    Plain<&PadRight>("rpad", Args(kVarchar, kBigint, kVarchar), ResultType::kVarchar),
    Plain<&Repeat>("repeat", Args(kVarchar, kBigint), ResultType::kVarchar),
    Plain<&FirstCodePoint>("ascii", Args(kVarchar), ResultType::kInteger),
    Plain<&OfCodePoint>("chr", Args(kBigint), ResultType::kVarchar),
    Plain<&Sha256Text>("sha256", Args(kVarchar), ResultType::kVarchar),

    // Times and intervals.
    Plain<&YearOf>("year", Args(kTimestamp), ResultType::kBigint),
    Plain<&QuarterOf>("quarter", Args(kTimestamp), ResultType::kBigint),
    Plain<&MonthOf>("month", Args(kTimestamp), ResultType::kBigint),
    Plain<&WeekOf>("week", Args(kTimestamp), ResultType::kBigint),
    Plain<&DayOf>("day", Args(kTimestamp), ResultType::kBigint),
    Plain<&DayOfYear>("dayofyear", Args(kTimestamp), ResultType::kBigint),
    Plain<&DayOfWeek>("dayofweek", Args(kTimestamp), ResultType::kBigint),
    Plain<&IsoDayOfWeek>("isodow", Args(kTimestamp), ResultType::kBigint),
    Plain<&HourOf>("hour", Args(kTimestamp), ResultType::kBigint),
    Plain<&MinuteOf>("minute", Args(kTimestamp), ResultType::kBigint),
    Plain<&SecondOf>("second", Args(kTimestamp), ResultType::kBigint),
    Plain<&MillisecondOf>("millisecond", Args(kTimestamp), ResultType::kBigint),
    Plain<&MicrosecondOf>("microsecond", Args(kTimestamp), ResultType::kBigint),
    Plain<&EpochOf>("epoch", Args(kTimestamp), ResultType::kDouble),
    Plain<&EpochOf>("epoch", Args(kInterval), ResultType::kDouble),
    Plain<&EpochMs>("epoch_ms", Args(kTimestamp), ResultType::kBigint),
    Plain<&EpochUs>("epoch_us", Args(kTimestamp), ResultType::kBigint),
    Plain<&DateTrunc>("date_trunc", Args(kLiteral, kTimestamp), ResultType::kSecond),
    Plain<&DateDiff>("date_diff", Args(kLiteral, kTimestamp, kTimestamp), ResultType::kBigint),
    Plain<&MakeDate>("make_date", Args(kBigint, kBigint, kBigint), ResultType::kDate),
    Plain<&MakeTimestamp>("make_timestamp",
                          Args(kBigint, kBigint, kBigint, kBigint, kBigint, kDouble),
                          ResultType::kTimestamp),
    Plain<&TimestampOfUs>("make_timestamp", Args(kBigint), ResultType::kTimestamp),
    Plain<&TimestampOfSeconds>("to_timestamp", Args(kDouble), ResultType::kTimestampTz),
    Plain<&FloorDays>("floor_days", Args(kInterval), ResultType::kBigint),
    Plain<&DaysIn>("days", Args(kInterval), ResultType::kDouble),
    Plain<&HoursIn>("hours", Args(kInterval), ResultType::kDouble),
    Plain<&MinutesIn>("minutes", Args(kInterval), ResultType::kDouble),
    Plain<&SecondsIn>("seconds", Args(kInterval), ResultType::kDouble),
};

struct Alias {
  std::string_view name;
  std::string_view function;
};
constexpr Alias kAliases[] = {
    {"if", "case"},
    {"ifnull", "coalesce"},
    {"ceiling", "ceil"},
    {"log", "log10"},
    {"power", "pow"},
    {"mod", "%"},
    {"substr", "substring"},
    {"len", "length"},
    {"char_length", "length"},
    {"lcase", "lower"},
    {"ucase", "upper"},
    {"prefix", "starts_with"},
    {"suffix", "ends_with"},
    {"instr", "strpos"},
    {"dow", "dayofweek"},
    {"doy", "dayofyear"},
    {"datetrunc", "date_trunc"},
    {"datediff", "date_diff"},
    {"weekofyear", "week"},
    {"dayofmonth", "day"},
    {"ord", "ascii"},
    {"unicode", "ascii"},
    {"divide", "//"},
    {"add", "+"},
    {"subtract", "-"},
    {"multiply", "*"},
};

std::string_view ParamName(Param param) {
  switch (param) {
    case kBoolean:
      return "boolean";
    case kNumber:
    case kFraction:
      return "number";
    case kBigint:
      return "integer";
    case kDouble:
      return "double";
    case kVarchar:
      return "varchar";
    case kText:
    case kAny:
      return "any";
    case kLiteral:
      return "'literal'";
    case kDate:
      return "date";
    case kTimestamp:
      return "timestamp";
    case kInterval:
      return "interval";
    case kMonths:
      return "calendar interval";
  }
  return "any";
}

}  // namespace

std::span<const Function> FunctionTable() { return kTable; }

std::span<const Function> FindFunctions(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.name == name) name = alias.function;
  }
  const auto* first = std::find_if(std::begin(kTable), std::end(kTable),
                                   [name](const Function& f) { return f.name == name; });
  const auto* last =
      std::find_if(first, std::end(kTable), [name](const Function& f) { return f.name != name; });
  return {first, last};
}

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names;
  for (const Function& function : kTable) {
    const bool word = function.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") ==
                      std::string_view::npos;
    if (word) names.emplace_back(function.name);
  }
  for (const Alias& alias : kAliases) names.emplace_back(alias.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string Signature(const Function& function) {
  std::string text = fmt::format("{}(", function.name);
  for (int i = 0; i < function.params.count; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", ParamName(function.params.kinds[i]));
  }
  return text + (function.params.arity == Arity::kFixed ? ")" : ", ...)");
}

}  // namespace viand::expression
