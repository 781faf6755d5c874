#include "src/engine/bind_view.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "src/expression/batch_evaluator.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

arrow::Result<expression::Aggregation> BindAggregation(const std::string& sql,
                                                       const std::shared_ptr<arrow::Schema>& schema,
                                                       const SourceLocation& where,
                                                       const std::string& described_as) {
  const expression::Scope scope{
      .columns = schema, .aggregates = true, .as_of = true, .described_as = described_as};
  VIAND_ASSIGN_OR_RETURN(auto bound, expression::ParseAndBind(sql, scope));
  // Lines and columns of the canonical text would mislead.
  bound = expression::PlacedAt(bound, where);
  return expression::SplitAggregates(bound);
}

arrow::Result<std::shared_ptr<arrow::Scalar>> BindDefault(
    const PlannedFeature& feature, const std::shared_ptr<arrow::DataType>& type) {
  if (feature.default_value.empty()) return nullptr;
  const auto nothing = arrow::schema(arrow::FieldVector{});
  VIAND_ASSIGN_OR_RETURN(auto bound,
                         expression::ParseAndBind(feature.default_value, {.columns = nothing}));
  const auto one_row = arrow::RecordBatch::Make(nothing, 1, arrow::ArrayVector{});
  VIAND_ASSIGN_OR_RETURN(auto value, expression::EvaluateBatch(*bound, *one_row));
  auto cast = arrow::compute::Cast(*value, type, arrow::compute::CastOptions::Safe());
  if (!cast.ok()) {
    return MakeError(ErrorKind::kDefinition,
                     fmt::format("the default {} does not fit the feature's type {}",
                                 feature.default_value, expression::TypeToSql(*type)));
  }
  return (*cast)->GetScalar(0);
}

arrow::Result<WindowFeature> BindFeature(const PlannedFeature& feature,
                                         const std::shared_ptr<arrow::Schema>& schema,
                                         const std::string& described_as) {
  if (feature.function != nullptr) {
    VIAND_ASSIGN_OR_RETURN(auto default_value, BindDefault(feature, feature.function->type));
    return WindowFeature{.name = feature.name,
                         .window = feature.window,
                         .default_value = std::move(default_value),
                         .function = feature.function,
                         .where = feature.where};
  }
  VIAND_ASSIGN_OR_RETURN(auto aggregation,
                         BindAggregation(feature.expr, schema, feature.where, described_as));
  VIAND_ASSIGN_OR_RETURN(auto default_value, BindDefault(feature, aggregation.result->type));
  return WindowFeature{feature.name, std::move(aggregation), feature.window,
                       std::move(default_value)};
}

}  // namespace

arrow::Result<WindowSpec> BindWindowSpec(const std::vector<PlannedFeature>& features,
                                         const TimeWindow& existence, const std::string& having,
                                         const std::shared_ptr<arrow::Schema>& schema,
                                         const std::string& described_as) {
  WindowSpec spec;
  spec.existence = existence;
  for (const PlannedFeature& feature : features) {
    auto bound = BindFeature(feature, schema, described_as);
    if (!bound.ok())
      return WithContext(bound.status(), fmt::format("feature \"{}\": ", feature.name));
    spec.features.push_back(std::move(*bound));
  }
  if (!having.empty()) {
    auto bound = BindAggregation(having, schema, {}, described_as);
    if (!bound.ok()) return WithContext(bound.status(), "having: ");
    spec.having = std::move(*bound);
  }
  return spec;
}

}  // namespace viand::engine
