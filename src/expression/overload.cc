#include "src/expression/overload.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "src/expression/binder.h"
#include "src/expression/cast.h"
#include "src/expression/function_table.h"
#include "src/expression/row_context.h"

namespace viand::expression {
namespace {

// What an argument loses by each way of fitting a parameter; the overload that loses least is
// chosen.
constexpr int kExact = 0;
constexpr int kWidened = 1;
constexpr int kAsText = 3;
constexpr int kLiteralRead = 5;  // a string literal read as a time or an interval

/// Where an argument stands in a call: its parameter, and which arguments share its type.
struct Slot {
  Param param;
  int group = 0;
};

Slot SlotOf(const Params& params, size_t i, size_t count) {
  switch (params.arity) {
    case Arity::kFixed:
      return {params.kinds[i], 0};
    case Arity::kMany:
      return {params.kinds[0], 0};
    case Arity::kCase:
      return i + 1 < count && i % 2 == 0 ? Slot{Param::kBoolean, 0} : Slot{Param::kAny, 0};
    case Arity::kCaseOf:
      return {Param::kAny, i == 0 || (i % 2 == 1 && i + 1 < count) ? 1 : 0};
  }
  return {Param::kAny, 0};
}

bool TakesCount(const Params& params, size_t count) {
  if (count < params.required) return false;
  switch (params.arity) {
    case Arity::kFixed:
      return count <= params.count;
    case Arity::kMany:
      return true;
    case Arity::kCase:
      return count % 2 == 1;
    case Arity::kCaseOf:
      return count % 2 == 0;
  }
  return false;
}

std::optional<int> When(bool fits, int cost) {
  return fits ? std::optional<int>(cost) : std::nullopt;
}

std::optional<int> CostOf(Param param, const Argument& arg) {
  const arrow::DataType& type = *arg.tree->type;
  const TypeClass kind = ClassOf(type);
  if (kind == TypeClass::kMonths) return When(param == Param::kMonths, kExact);
  if (kind == TypeClass::kNull) {
    if (param == Param::kLiteral) return When(arg.tree->kind == ExpressionKind::kLiteral, kWidened);
    return When(param != Param::kMonths, kExact);
  }
  if (kind == TypeClass::kUnknown) {
    return When(param != Param::kMonths && param != Param::kLiteral, kExact);
  }
  const bool text_literal = arg.literal == Argument::Literal::kText;
  switch (param) {
    case Param::kBoolean:
      return When(kind == TypeClass::kBoolean, kExact);
    case Param::kNumber:
    case Param::kFraction:
      return When(IsNumber(type), kExact);
    case Param::kDouble:
      return When(IsNumber(type), type.id() == arrow::Type::DOUBLE ? kExact : kWidened);
    case Param::kBigint:
      return When(kind == TypeClass::kInteger, type.id() == arrow::Type::INT64 ? kExact : kWidened);
    case Param::kVarchar:
      return When(kind == TypeClass::kVarchar, kExact);
    case Param::kLiteral:
      return When(kind == TypeClass::kVarchar && arg.tree->kind == ExpressionKind::kLiteral,
                  kExact);
    case Param::kText:
      if (kind == TypeClass::kVarchar) return kExact;
      return When(FindCast(type, *arrow::utf8()) != nullptr, kAsText);
    case Param::kDate:
      return kind == TypeClass::kDate ? std::optional<int>(kExact)
                                      : When(text_literal, kLiteralRead + 1);
    case Param::kTimestamp:
      if (kind == TypeClass::kTimestamp) return kExact;
      return kind == TypeClass::kDate ? std::optional<int>(kWidened)
                                      : When(text_literal, kLiteralRead);
    case Param::kInterval:
      return kind == TypeClass::kInterval ? std::optional<int>(kExact)
                                          : When(text_literal, kLiteralRead);
    case Param::kMonths:
      return std::nullopt;
    case Param::kAny:
      return kExact;
  }
  return std::nullopt;
}

std::optional<int> CostOf(const Function& function, const std::vector<Argument>& args) {
  if (!TakesCount(function.params, args.size())) return std::nullopt;
  int total = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::optional<int> cost = CostOf(SlotOf(function.params, i, args.size()).param, args[i]);
    if (!cost) return std::nullopt;
    total += *cost;
  }
  return total;
}

std::string TypesOf(const std::vector<Argument>& args) {
  std::string text;
  for (const Argument& arg : args) {
    if (!text.empty()) text += ", ";
    text += ClassOf(*arg.tree->type) == TypeClass::kMonths ? "calendar interval"
                                                           : TypeToSql(*arg.tree->type);
  }
  return text;
}

arrow::Status NoOverload(const std::string& name, const SourceLocation& where,
                         const std::vector<Argument>& args, std::span<const Function> candidates) {
  std::string hint = "it takes ";
  for (size_t i = 0; i < candidates.size(); ++i) {
    hint += (i == 0 ? "" : " or ") + Signature(candidates[i]);
  }
  for (const Argument& arg : args) {
    if (ClassOf(*arg.tree->type) == TypeClass::kMonths) {
      hint = "months and years have no fixed length: they stand only beside + or - of a timestamp";
    }
  }
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("no function {}({})", name, TypesOf(args)), std::move(hint));
}

bool FitsInteger(const Argument& arg, const arrow::DataType& type) {
  const auto value = FromScalar(*arg.tree->literal);
  if (!value.ok() || IsNull(*value)) return false;
  const IntegerRange range = RangeOf(type);
  return std::get<int64_t>(*value) >= range.least && std::get<int64_t>(*value) <= range.greatest;
}

/// Widens the types of the arguments that are no bare literals, then lets the literals adapt to it.
arrow::Result<TypePtr> CommonType(const std::string& name, const SourceLocation& where,
                                  const std::vector<Argument>& args) {
  TypePtr common = arrow::null();
  auto add = [&](const TypePtr& type) -> arrow::Status {
    if (ClassOf(*type) == TypeClass::kOther && args.size() > 1) {
      return ErrorAt(
          where, ErrorKind::kDefinition,
          fmt::format("values of type {} can only be passed through, counted or tested for null",
                      TypeToSql(*type)));
    }
    const std::optional<TypePtr> wider = Widen(common, type);
    if (!wider) {
      return ErrorAt(where, ErrorKind::kDefinition,
                     fmt::format("{} and {} do not go together in \"{}\"", TypeToSql(*common),
                                 TypeToSql(*type), name),
                     fmt::format("cast one side, as in cast(x as {})", TypeToSql(*common)));
    }
    common = *wider;
    return arrow::Status::OK();
  };
  for (const Argument& arg : args) {
    if (arg.literal == Argument::Literal::kNone) VIAND_RETURN_NOT_OK(add(arg.tree->type));
  }
  for (const Argument& arg : args) {
    if (arg.literal != Argument::Literal::kInteger) continue;
    const bool adapts = ClassOf(*common) == TypeClass::kInteger && FitsInteger(arg, *common);
    if (!adapts) VIAND_RETURN_NOT_OK(add(arg.tree->type));
  }
  for (const Argument& arg : args) {
    if (arg.literal != Argument::Literal::kText) continue;
    const bool adapts =
        common->id() != arrow::Type::NA && FindCast(*arrow::utf8(), *common) != nullptr;
    if (!adapts) VIAND_RETURN_NOT_OK(add(arg.tree->type));
  }
  // Nothing but nulls: DuckDB calls that an integer.
  if (common->id() == arrow::Type::NA) return arrow::int32();
  return common;
}

struct CommonTypes {
  TypePtr of_group[2];
};

arrow::Result<CommonTypes> CommonTypesOf(const Function& function, const SourceLocation& where,
                                         const std::vector<Argument>& args) {
  CommonTypes types;
  for (int group = 0; group < 2; ++group) {
    std::vector<Argument> members;
    bool fraction = false;
    for (size_t i = 0; i < args.size(); ++i) {
      const Slot slot = SlotOf(function.params, i, args.size());
      const bool shares = slot.param == Param::kNumber || slot.param == Param::kFraction ||
                          slot.param == Param::kAny;
      fraction = fraction || slot.param == Param::kFraction;
      if (shares && slot.group == group) members.push_back(args[i]);
    }
    if (members.empty()) continue;
    VIAND_ASSIGN_OR_RETURN(types.of_group[group],
                           CommonType(std::string(function.name), where, members));
    if (fraction && ClassOf(*types.of_group[group]) != TypeClass::kFloat) {
      types.of_group[group] = arrow::float64();
    }
  }
  return types;
}

TypePtr TargetOf(const Slot& slot, const TypePtr& type, const CommonTypes& common) {
  switch (slot.param) {
    case Param::kBoolean:
      return arrow::boolean();
    case Param::kNumber:
    case Param::kFraction:
    case Param::kAny:
      return common.of_group[slot.group];
    case Param::kBigint:
      return arrow::int64();
    case Param::kDouble:
      return arrow::float64();
    case Param::kVarchar:
    case Param::kText:
    case Param::kLiteral:
      return arrow::utf8();
    case Param::kDate:
      return arrow::date32();
    case Param::kTimestamp:
      return ClassOf(*type) == TypeClass::kTimestamp ? type : TimestampType();
    case Param::kInterval:
      return IntervalType();
    case Param::kMonths:
      return type;
  }
  return type;
}

TypePtr ResultOf(const Function& function, const CommonTypes& common, const Expression& call) {
  switch (function.result) {
    case ResultType::kCommon:
      return common.of_group[0];
    case ResultType::kFirst:
      return call.children[0]->type;
    case ResultType::kSecond:
      return call.children[1]->type;
    case ResultType::kBoolean:
      return arrow::boolean();
    case ResultType::kTinyint:
      return arrow::int8();
    case ResultType::kInteger:
      return arrow::int32();
    case ResultType::kBigint:
      return arrow::int64();
    case ResultType::kDouble:
      return arrow::float64();
    case ResultType::kVarchar:
      return arrow::utf8();
    case ResultType::kDate:
      return arrow::date32();
    case ResultType::kTimestamp:
      return TimestampType();
    case ResultType::kTimestampTz:
      return TimestampTzType();
    case ResultType::kInterval:
      return IntervalType();
  }
  return arrow::null();
}

/// The result of a call with an argument of unknown type: known where all overloads that may be
/// meant agree.
TypePtr OpenResult(std::span<const Function> candidates, const std::vector<Argument>& args) {
  TypePtr agreed;
  for (const Function& candidate : candidates) {
    if (!CostOf(candidate, args)) continue;
    const bool by_arguments = candidate.result == ResultType::kCommon ||
                              candidate.result == ResultType::kFirst ||
                              candidate.result == ResultType::kSecond;
    const TypePtr type =
        by_arguments ? UnknownType() : ResultOf(candidate, CommonTypes(), Expression());
    if (agreed != nullptr && !agreed->Equals(*type)) return UnknownType();
    agreed = type;
  }
  return agreed;
}

/// Tries the call on sample values, so that a wrong pattern or part of time is found before
/// anything runs.
arrow::Status CheckLiterals(const Expression& call) {
  bool any = false;
  std::vector<Value> sample;
  for (size_t i = 0; i < call.children.size(); ++i) {
    const Expression& child = *call.children[i];
    if (SlotOf(call.function->params, i, call.children.size()).param == Param::kLiteral) {
      VIAND_ASSIGN_OR_RETURN(Value value, FromScalar(*child.literal));
      sample.push_back(std::move(value));
      any = true;
    } else {
      sample.push_back(ClassOf(*child.type) == TypeClass::kVarchar ? Value(std::string())
                                                                   : Value(int64_t{0}));
    }
  }
  if (!any) return arrow::Status::OK();
  const auto result = call.function->row.strict(call, sample);
  if (result.ok() || IsNull(sample[0]) || IsNull(sample.back())) return arrow::Status::OK();
  for (size_t i = 0; i < sample.size(); ++i) {
    if (SlotOf(call.function->params, i, sample.size()).param != Param::kLiteral) continue;
    return ErrorAt(
        call.children[i]->where, ErrorKind::kDefinition,
        fmt::format("{}: {}", Describe(sample[i], *call.children[i]->type),
                    result.status().message()),
        call.function->name == "regexp_matches"
            ? "patterns are regular expressions of RE2"
            : "parts are year, quarter, month, week, day, hour, minute, second and finer");
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<ExpressionPtr> MakeLiteral(std::shared_ptr<arrow::Scalar> value,
                                         const SourceLocation& where) {
  auto node = std::make_shared<Expression>();
  node->kind = ExpressionKind::kLiteral;
  node->type = value->type;
  node->where = where;
  node->literal = std::move(value);
  return node;
}

arrow::Result<ExpressionPtr> MakeCast(const ExpressionPtr& tree, const TypePtr& type,
                                      const SourceLocation& where, bool null_on_failure) {
  if (tree->type->Equals(*type)) return tree;
  if (tree->type->id() == arrow::Type::NA && tree->kind == ExpressionKind::kLiteral) {
    return MakeLiteral(arrow::MakeNullScalar(type), where);
  }
  if (!IsUnknown(*tree->type) && FindCast(*tree->type, *type) == nullptr) {
    return ErrorAt(
        where, ErrorKind::kDefinition,
        fmt::format("{} cannot be cast to {}", TypeToSql(*tree->type), TypeToSql(*type)));
  }
  auto node = std::make_shared<Expression>();
  node->kind = ExpressionKind::kCast;
  node->type = type;
  node->where = where;
  node->children = {tree};
  node->null_on_failure = null_on_failure;
  if (tree->kind != ExpressionKind::kLiteral) return node;
  VIAND_ASSIGN_OR_RETURN(const Value value, FromScalar(*tree->literal));
  auto folded = EvaluateStrict(*node, {&value, 1});
  if (!folded.ok()) {
    return ErrorAt(
        tree->where, ErrorKind::kDefinition,
        fmt::format("{} does not read as {}: {}", Describe(value, *tree->type), TypeToSql(*type),
                    FindCast(*tree->type, *type)->row(*node, {&value, 1}).status().message()));
  }
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Scalar> scalar, ToScalar(*folded, type));
  return MakeLiteral(std::move(scalar), where);
}

arrow::Result<ExpressionPtr> MakeCall(const std::string& name, const SourceLocation& where,
                                      const std::vector<Argument>& args) {
  const std::span<const Function> candidates = FindFunctions(name);
  const Function* chosen = nullptr;
  int least = 0;
  for (const Function& candidate : candidates) {
    const std::optional<int> cost = CostOf(candidate, args);
    if (!cost || (chosen != nullptr && *cost >= least)) continue;
    chosen = &candidate;
    least = *cost;
  }
  if (chosen == nullptr) return NoOverload(name, where, args, candidates);
  auto call = std::make_shared<Expression>();
  call->kind = ExpressionKind::kCall;
  call->where = where;
  call->function = chosen;
  if (std::any_of(args.begin(), args.end(),
                  [](const Argument& arg) { return IsUnknown(*arg.tree->type); })) {
    for (const Argument& arg : args) call->children.push_back(arg.tree);
    call->type = OpenResult(candidates, args);
    return call;
  }
  VIAND_ASSIGN_OR_RETURN(const CommonTypes common, CommonTypesOf(*chosen, where, args));
  for (size_t i = 0; i < args.size(); ++i) {
    const TypePtr target =
        TargetOf(SlotOf(chosen->params, i, args.size()), args[i].tree->type, common);
    VIAND_ASSIGN_OR_RETURN(ExpressionPtr child,
                           MakeCast(args[i].tree, target, args[i].tree->where));
    call->children.push_back(std::move(child));
  }
  call->type = ResultOf(*chosen, common, *call);
  VIAND_RETURN_NOT_OK(CheckLiterals(*call));
  return call;
}

}  // namespace viand::expression
