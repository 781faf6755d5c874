#include "src/expression/to_sql.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "src/expression/binder.h"
#include "src/expression/calendar.h"
#include "src/expression/function_table.h"
#include "src/expression/interval.h"
#include "src/expression/lexer.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

/// How tightly a text binds, as in the parser's levels.
enum Level : int {
  kOr = 1,
  kAnd,
  kNot,
  kIs,
  kComparison,
  kMembership,
  kConcatenation,
  kSum,
  kProduct,
  kSign = 11,
  kPrimary,
};

struct Text {
  std::string text;
  int level = kPrimary;
};

struct Infix {
  std::string_view name;
  int level;
  int left;   ///< least level of the left operand
  int right;  ///< least level of the right operand
};

constexpr std::array<Infix, 15> kInfix = {{
    {"=", kComparison, kMembership, kMembership},
    {"<>", kComparison, kMembership, kMembership},
    {"<", kComparison, kMembership, kMembership},
    {"<=", kComparison, kMembership, kMembership},
    {">", kComparison, kMembership, kMembership},
    {">=", kComparison, kMembership, kMembership},
    {"is distinct from", kIs, kIs, kComparison},
    {"is not distinct from", kIs, kIs, kComparison},
    {"||", kConcatenation, kConcatenation, kSum},
    {"+", kSum, kSum, kProduct},
    {"-", kSum, kSum, kProduct},
    {"*", kProduct, kProduct, kSign},
    {"/", kProduct, kProduct, kSign},
    {"//", kProduct, kProduct, kSign},
    {"%", kProduct, kProduct, kSign},
}};

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

std::string DoubleText(double value) {
  if (!std::isfinite(value)) return "";
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string CastOf(std::string_view text, const arrow::DataType& type) {
  return fmt::format("cast({} as {})", text, TypeToSql(type));
}

Text IntegerLiteral(int64_t value, const arrow::DataType& type) {
  std::string text = fmt::format("{}", value);
  const bool small = value >= INT32_MIN && value <= INT32_MAX;
  // The type that the text alone would get.
  const bool natural = small ? type.id() == arrow::Type::INT32 : type.id() == arrow::Type::INT64;
  if (!natural) return {CastOf(text, type)};
  return {std::move(text), value < 0 ? kSign : kPrimary};
}

Text FloatLiteral(double value, const arrow::DataType& type) {
  const bool single = type.id() == arrow::Type::FLOAT;
  if (!std::isfinite(value)) {
    return {CastOf(std::isnan(value) ? "'nan'" : value < 0 ? "'-inf'" : "'inf'", type)};
  }
  std::string text = DoubleText(value);
  if (single) return {CastOf(text, type)};
  return {std::move(text), std::signbit(value) ? kSign : kPrimary};
}

std::string MonthsText(int64_t months) {
  return fmt::format("interval '{} month{}'", months, months == 1 || months == -1 ? "" : "s");
}

Text LiteralText(const Value& value, const arrow::DataType& type) {
  if (IsNull(value)) return {ClassOf(type) == TypeClass::kNull ? "null" : CastOf("null", type)};
  switch (ClassOf(type)) {
    case TypeClass::kBoolean:
      return {std::get<bool>(value) ? "true" : "false"};
    case TypeClass::kInteger:
      return IntegerLiteral(std::get<int64_t>(value), type);
    case TypeClass::kFloat:
      return FloatLiteral(std::get<double>(value), type);
    case TypeClass::kDate:
      return {fmt::format("date '{}'", FormatDate(std::get<int64_t>(value)))};
    case TypeClass::kTimestamp:
      return {fmt::format("{} '{}'", TypeToSql(type), FormatTime(std::get<int64_t>(value)))};
    case TypeClass::kInterval:
      return {fmt::format("interval '{}'", FormatIntervalUnits(std::get<int64_t>(value)))};
    case TypeClass::kMonths:
      return {MonthsText(std::get<int64_t>(value))};
    default:
      return {QuoteText(std::get<std::string>(value))};
  }
}

/// Prints trees; inside the argument of an aggregate with `per`, columns "$i" print as the inner
/// aggregates.
class Printer {
 public:
  explicit Printer(const AggregateCall* per = nullptr, bool for_people = false)
      : per_(per), for_people_(for_people) {}

  std::string At(const Expression& tree, int least_level) const {
    Text text = Print(tree);
    return text.level < least_level ? "(" + text.text + ")" : std::move(text.text);
  }

  Text Print(const Expression& tree) const {
    switch (tree.kind) {
      case ExpressionKind::kLiteral: {
        auto value = FromScalar(*tree.literal);
        return value.ok() ? LiteralText(*value, *tree.type) : Text{tree.literal->ToString()};
      }
      case ExpressionKind::kColumn:
        if (per_ != nullptr && tree.column_index < static_cast<int>(per_->per_calls.size())) {
          return {ToSql(*per_->per_calls[tree.column_index])};
        }
        if (for_people_ && tree.stands_for != nullptr) return {ToSql(*tree.stands_for)};
        return {NameToSql(tree.column)};
      case ExpressionKind::kAsOf:
        return {"as_of"};
      case ExpressionKind::kCall:
        return Call(tree);
      case ExpressionKind::kCast:
        return {fmt::format("{}({} as {})", tree.null_on_failure ? "try_cast" : "cast",
                            At(*tree.children[0], kOr), TypeToSql(*tree.type))};
      case ExpressionKind::kAggregate:
        return {ToSql(*tree.aggregate)};
      case ExpressionKind::kGap:
        return {fmt::format("gap({})", At(*tree.children[0], kOr))};
    }
    return {};
  }

 private:
  std::string Joined(const Expression& tree, size_t first, std::string_view separator,
                     int level) const {
    std::string text;
    for (size_t i = first; i < tree.children.size(); ++i) {
      if (i > first) text += separator;
      text += At(*tree.children[i], level);
    }
    return text;
  }

  Text Call(const Expression& tree) const {
    const std::string_view name = tree.function->name;
    for (const Infix& infix : kInfix) {
      if (infix.name != name) continue;
      return {fmt::format("{} {} {}", At(*tree.children[0], infix.left), name,
                          At(*tree.children[1], infix.right)),
              infix.level};
    }
    if (name == "and") return {Joined(tree, 0, " and ", kNot), kAnd};
    if (name == "or") return {Joined(tree, 0, " or ", kAnd), kOr};
    if (name == "not") return {"not " + At(*tree.children[0], kNot), kNot};
    if (name == "unary -") return Negation(*tree.children[0]);
    if (name.starts_with("is "))
      return {fmt::format("{} {}", At(*tree.children[0], kIs), name), kIs};
    if (name == "case" || name == "case of") return {Case(tree, name == "case of")};
    if (name == "between" || name == "in" || name == "like" || name == "ilike") {
      return {Membership(tree, name), kMembership};
    }
    return {fmt::format("{}({})", name, Joined(tree, 0, ", ", kOr))};
  }

  Text Negation(const Expression& operand) const {
    // Parentheses keep the minus apart from another one (a comment) and from a number (a literal).
    const bool number = operand.kind == ExpressionKind::kLiteral;
    return {number ? fmt::format("-({})", At(operand, kOr)) : "-" + At(operand, kPrimary), kSign};
  }

  std::string Membership(const Expression& tree, std::string_view name) const {
    const std::string operand = At(*tree.children[0], kConcatenation);
    if (name == "in") return fmt::format("{} in ({})", operand, Joined(tree, 1, ", ", kOr));
    if (name == "between") {
      return fmt::format("{} between {}", operand, Joined(tree, 1, " and ", kConcatenation));
    }
    return fmt::format("{} {} {}", operand, name, Joined(tree, 1, " escape ", kConcatenation));
  }

  std::string Case(const Expression& tree, bool with_operand) const {
    std::string text = "case";
    if (with_operand) text += " " + At(*tree.children[0], kOr);
    for (size_t i = with_operand ? 1 : 0; i + 1 < tree.children.size(); i += 2) {
      text += fmt::format(" when {} then {}", At(*tree.children[i], kOr),
                          At(*tree.children[i + 1], kOr));
    }
    return text + fmt::format(" else {} end", At(*tree.children.back(), kOr));
  }

  const AggregateCall* per_;
  const bool for_people_;
};

std::string ArgumentsOf(const AggregateCall& call) {
  std::string text = call.function == AggregateFunction::kCountDistinct ? "distinct " : "";
  if (call.argument == nullptr) return text + "*";
  text += Printer(call.per_keys.empty() ? nullptr : &call).At(*call.argument, kOr);
  if (call.function == AggregateFunction::kQuantile) text += ", " + DoubleText(call.quantile);
  if (call.function == AggregateFunction::kLastN) text += fmt::format(", {}", call.count);
  return text;
}

}  // namespace

std::string LiteralToSql(const Value& value, const arrow::DataType& type) {
  return LiteralText(value, type).text;
}

std::string NameToSql(std::string_view name) {
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
  for (char c : name) {
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_');
  }
  if (plain && !IsReservedWord(LowerAscii(name))) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string_view AggregateName(AggregateFunction function) {
  switch (function) {
    case AggregateFunction::kCount:
    case AggregateFunction::kCountDistinct:
      return "count";
    case AggregateFunction::kApproxCountDistinct:
      return "approx_count_distinct";
    case AggregateFunction::kSum:
      return "sum";
    case AggregateFunction::kAvg:
      return "avg";
    case AggregateFunction::kMin:
      return "min";
    case AggregateFunction::kMax:
      return "max";
    case AggregateFunction::kFirst:
      return "first";
    case AggregateFunction::kLast:
      return "last";
    case AggregateFunction::kStddev:
      return "stddev";
    case AggregateFunction::kVar:
      return "var";
    case AggregateFunction::kQuantile:
      return "quantile";
    case AggregateFunction::kAny:
      return "any";
    case AggregateFunction::kAll:
      return "all";
    case AggregateFunction::kMode:
      return "mode";
    case AggregateFunction::kLastN:
      return "last_n";
  }
  return "";
}

std::string ToSql(const AggregateCall& call) {
  const Printer printer;
  std::string text = fmt::format("{}({}", AggregateName(call.function), ArgumentsOf(call));
  for (size_t i = 0; i < call.per_keys.size(); ++i) {
    text += (i == 0 ? " per " : ", ") + printer.At(*call.per_keys[i], kOr);
  }
  if (call.where != nullptr) text += " where " + printer.At(*call.where, kOr);
  if (call.order_by != nullptr) text += " order by " + printer.At(*call.order_by, kOr);
  return text + ")";
}

std::string ToSql(const Expression& expression) { return Printer().Print(expression).text; }

std::string ShownSql(const Expression& expression) {
  return Printer(nullptr, /*for_people=*/true).Print(expression).text;
}

std::string Shortened(std::string text) {
  // The values and the place matter more than the end of a long expression.
  constexpr size_t kShownBytes = 160;
  if (text.size() <= kShownBytes) return text;
  size_t end = kShownBytes;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace viand::expression
