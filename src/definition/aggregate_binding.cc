#include "src/definition/aggregate_binding.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include "src/definition/default_value.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::definition {
namespace {

/// Binds over what is known of the rows; null where that failed.
ExpressionPtr BindSql(const Sql& sql, const AggregateScope& scope, bool aggregates,
                      ErrorList* errors) {
  auto bound = expression::ParseAndBind(sql.text,
                                        {.columns = scope.rows.Columns(),
                                         .aggregates = aggregates,
                                         .as_of = aggregates,
                                         .open = scope.rows.MayHaveMore(),
                                         .described_as = scope.rows.described_as},
                                        sql.where);
  errors->Add(bound.status());
  return bound.ok() ? *bound : nullptr;
}

/// A view's values are one a (key, t), so every column must stand inside an aggregate.
arrow::Status CheckAggregates(const Sql& sql, const ExpressionPtr& expression,
                              const std::string& what) {
  const std::vector<std::string> columns = expression::ColumnsOf(*expression);
  if (expression::HasAggregate(*expression)) {
    return expression::SplitAggregates(expression).status();
  }
  return ErrorAt(sql.where, ErrorKind::kDefinition,
                 fmt::format("{} has no aggregate: expected one value for each key and time", what),
                 columns.empty()
                     ? "write an aggregate such as count(*)"
                     : fmt::format("write an aggregate such as last({})", columns.front()));
}

arrow::Status CheckCondition(const Sql& sql, const expression::Expression& expression,
                             std::string_view key, const AggregateScope& scope) {
  if (expression.type->id() == arrow::Type::BOOL || expression::IsUnknown(*expression.type)) {
    return arrow::Status::OK();
  }
  return ErrorAt(sql.where, ErrorKind::kDefinition,
                 fmt::format("expected a condition as \"{}\" of the {}, got {}", key, scope.owner,
                             expression::TypeToSql(*expression.type)));
}

}  // namespace

ExpressionPtr BindRowCondition(const std::optional<Sql>& sql, const AggregateScope& scope,
                               ErrorList* errors) {
  if (!sql) return nullptr;
  ExpressionPtr condition = BindSql(*sql, scope, /*aggregates=*/false, errors);
  if (condition != nullptr) errors->Add(CheckCondition(*sql, *condition, "where", scope));
  return scope.rows.schema == nullptr ? nullptr : condition;
}

ExpressionPtr BindGroupCondition(const std::optional<Sql>& sql, const AggregateScope& scope,
                                 ErrorList* errors) {
  if (!sql) return nullptr;
  ExpressionPtr condition = BindSql(*sql, scope, /*aggregates=*/true, errors);
  if (condition == nullptr) return nullptr;
  errors->Add(CheckCondition(*sql, *condition, "having", scope));
  errors->Add(CheckAggregates(*sql, condition, fmt::format("\"having\" of the {}", scope.owner)));
  return scope.rows.schema == nullptr ? nullptr : condition;
}

void BindAggregateFeature(const AggregateScope& scope, BoundFeature* bound, ErrorList* errors) {
  const Feature& feature = *bound->feature;
  ExpressionPtr expression = BindSql(feature.expr, scope, /*aggregates=*/true, errors);
  if (expression == nullptr) return;
  const auto& type = expression->type;
  const auto aggregates =
      CheckAggregates(feature.expr, expression, fmt::format("the feature \"{}\"", feature.name));
  errors->Add(aggregates);
  if (!aggregates.ok() || expression::IsUnknown(*type)) return;
  const auto storable = FeastTypeOf(*type);
  if (!storable.ok()) {
    errors->Add(
        ErrorAt(feature.expr.where, ErrorKind::kDefinition,
                fmt::format("the feature \"{}\" is of type {}, which no feature can have",
                            feature.name, expression::TypeToSql(*type)),
                "turn an interval into a number with floor_days(...), another type with cast"));
    return;
  }
  bound->foreseen = type;
  if (scope.rows.schema != nullptr) {
    bound->expression = expression;
    bound->type = type;
  }
  if (!feature.default_value) return;
  auto value = BindDefault(*feature.default_value, type);
  errors->Add(Placed(value.status(), feature.default_value->where));
  if (value.ok() && bound->type != nullptr) bound->default_value = std::move(*value);
}

}  // namespace viand::definition
