#include "src/expression/aggregate_names.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <array>

#include "src/expression/binder.h"
#include "src/expression/overload.h"
#include "src/expression/sql_types.h"

namespace viand::expression {
namespace {

using enum AggregateFunction;

struct Name {
  std::string_view name;
  AggregateFunction function;
};

constexpr std::array<Name, 23> kNames = {{{"count", kCount},
                                          {"approx_count_distinct", kApproxCountDistinct},
                                          {"sum", kSum},
                                          {"avg", kAvg},
                                          {"mean", kAvg},
                                          {"min", kMin},
                                          {"max", kMax},
                                          {"first", kFirst},
                                          {"last", kLast},
                                          {"stddev", kStddev},
                                          {"stddev_samp", kStddev},
                                          {"var", kVar},
                                          {"var_samp", kVar},
                                          {"variance", kVar},
                                          {"median", kQuantile},
                                          {"quantile", kQuantile},
                                          {"quantile_cont", kQuantile},
                                          {"any", kAny},
                                          {"bool_or", kAny},
                                          {"all", kAll},
                                          {"bool_and", kAll},
                                          {"mode", kMode},
                                          {"last_n", kLastN}}};

arrow::Status WrongType(const std::string& name, const SourceLocation& where,
                        const arrow::DataType& type, std::string_view takes) {
  std::string hint;
  if (ClassOf(type) == TypeClass::kInterval) {
    hint = fmt::format("convert the interval, as in {}(days(x))", name);
  } else if (takes == "numbers") {
    hint = fmt::format("cast it, as in {}(cast(x as double))", name);
  }
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("\"{}\" takes {}, not {}", name, takes, TypeToSql(type)),
                 std::move(hint));
}

/// Integers and booleans to bigint, floats to double: what sums are made of.
arrow::Result<ExpressionPtr> AsAddend(const std::string& name, const SourceLocation& where,
                                      const ExpressionPtr& argument) {
  switch (ClassOf(*argument->type)) {
    case TypeClass::kBoolean:
    case TypeClass::kInteger:
    case TypeClass::kNull:
      return MakeCast(argument, arrow::int64(), argument->where);
    case TypeClass::kFloat:
      return MakeCast(argument, arrow::float64(), argument->where);
    default:
      return WrongType(name, where, *argument->type, "numbers");
  }
}

/// The type of an aggregate over values of an unknown type.
TypePtr OpenType(AggregateFunction function) {
  switch (function) {
    case kCount:
    case kCountDistinct:
    case kApproxCountDistinct:
      return arrow::int64();
    case kAvg:
    case kStddev:
    case kVar:
    case kQuantile:
      return arrow::float64();
    case kAny:
    case kAll:
      return arrow::boolean();
    default:
      return UnknownType();
  }
}

}  // namespace

std::optional<AggregateFunction> AggregateFromName(std::string_view name) {
  for (const Name& entry : kNames) {
    if (entry.name == name) return entry.function;
  }
  return std::nullopt;
}

std::vector<std::string> AggregateNames() {
  std::vector<std::string> names;
  for (const Name& entry : kNames) names.emplace_back(entry.name);
  return names;
}

arrow::Status TypeAggregate(const std::string& name, const SourceLocation& where,
                            ExpressionPtr argument, AggregateCall* call) {
  const TypeClass type = ClassOf(*argument->type);
  if (type == TypeClass::kUnknown) {
    call->type = OpenType(call->function);
    call->argument = std::move(argument);
    return arrow::Status::OK();
  }
  if (type == TypeClass::kNull) {
    VIAND_ASSIGN_OR_RETURN(argument, MakeCast(argument, arrow::int32(), argument->where));
  }
  switch (call->function) {
    case kCount:
      call->type = arrow::int64();
      break;
    case kSum:
    case kAvg:
    case kStddev:
    case kVar:
    case kQuantile: {
      VIAND_ASSIGN_OR_RETURN(argument, AsAddend(name, where, argument));
      const bool exact = call->function == kSum && argument->type->id() == arrow::Type::INT64;
      call->type = exact ? arrow::int64() : arrow::float64();
      break;
    }
    case kAny:
    case kAll: {
      if (type != TypeClass::kBoolean && type != TypeClass::kNull) {
        return WrongType(name, where, *argument->type, "booleans");
      }
      VIAND_ASSIGN_OR_RETURN(argument, MakeCast(argument, arrow::boolean(), argument->where));
      call->type = arrow::boolean();
      break;
    }
    default: {
      if (type == TypeClass::kOther)
        return WrongType(name, where, *argument->type, "comparable values");
      const bool counts =
          call->function == kCountDistinct || call->function == kApproxCountDistinct;
      call->type = counts ? arrow::int64() : argument->type;
      if (call->function == kLastN) call->type = arrow::list(argument->type);
    }
  }
  call->argument = std::move(argument);
  return arrow::Status::OK();
}

}  // namespace viand::expression
