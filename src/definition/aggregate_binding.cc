#include "src/definition/aggregate_binding.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

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

/// Sets the type of a computed feature, and its default.
void TakeType(const AggregateScope& scope, const std::shared_ptr<arrow::DataType>& type,
              BoundFeature* bound, ErrorList* errors) {
  bound->foreseen = type;
  if (scope.rows.schema != nullptr) bound->type = type;
  const auto& literal = bound->feature->default_value;
  if (!literal) return;
  auto value = BindDefault(*literal, type);
  errors->Add(Placed(value.status(), literal->where));
  if (value.ok() && bound->type != nullptr) bound->default_value = std::move(*value);
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
  if (scope.rows.schema != nullptr) bound->expression = expression;
  TakeType(scope, type, bound, errors);
}

void BindFunctionFeature(const AggregateScope& scope, BoundFeature* bound, ErrorList* errors) {
  const PythonFunction& function = *bound->feature->function;
  const auto& columns = scope.rows.Columns();
  for (const Reference& column : function.columns) {
    bound->function_columns.push_back(column.name);
    if (columns == nullptr || scope.rows.MayHaveMore() ||
        columns->GetFieldByName(column.name) != nullptr)
      continue;
    errors->Add(
        ErrorAt(column.where, ErrorKind::kDefinition,
                fmt::format("unknown column \"{}\" in {}", column.name, scope.rows.described_as),
                NearestOrAll(column.name, columns->field_names(), "columns are ")));
  }
  if (function.columns.empty() && scope.rows.schema != nullptr)
    bound->function_columns = scope.rows.schema->field_names();
  for (const char* taken : {"group", "as_of"}) {
    const auto& taken_from = bound->function_columns;
    if (std::find(taken_from.begin(), taken_from.end(), taken) == taken_from.end()) continue;
    errors->Add(ErrorAt(
        function.name.where, ErrorKind::kDefinition,
        fmt::format("the function {} takes a column \"{}\", the name of one that viand gives it",
                    function.name.name, taken),
        "list its columns without it, or rename it with field_mapping of the source"));
  }
  const auto type = TypeFromName(function.returns.text);
  if (!type.ok()) {
    errors->Add(Placed(type.status(), function.returns.where));
    return;
  }
  TakeType(scope, *type, bound, errors);
}

}  // namespace viand::definition
