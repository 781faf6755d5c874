#include "src/definition/view_binding.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "src/definition/aggregate_binding.h"
#include "src/definition/join_keys.h"
#include "src/definition/name_resolution.h"
#include "src/definition/partition_types.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::definition {
namespace {

/// A column of the output must not share its name with a key or with the time.
void CheckFeatureNames(const BoundView& bound, const std::string& owner, ErrorList* errors) {
  for (const BoundFeature& feature : bound.features) {
    const std::string& name = feature.feature->name;
    const bool key =
        std::find(bound.join_keys.begin(), bound.join_keys.end(), name) != bound.join_keys.end();
    if (!key && name != kEventTimestamp) continue;
    errors->Add(ErrorAt(feature.feature->where, ErrorKind::kDefinition,
                        fmt::format("the column \"{}\" of the {} has the name of {}", name, owner,
                                    key ? "a join key" : "the time of its rows")));
  }
}

/// Join keys, then features; null while a type is missing.
std::shared_ptr<arrow::Schema> OutputOf(const BoundView& bound) {
  if (bound.source == nullptr) return nullptr;
  arrow::FieldVector fields;
  for (const std::string& key : bound.join_keys) {
    const auto field = bound.source->GetFieldByName(key);
    if (field == nullptr) return nullptr;
    fields.push_back(field);
  }
  for (const BoundFeature& feature : bound.features) {
    if (feature.type == nullptr) return nullptr;
    fields.push_back(arrow::field(feature.feature->name, feature.type));
  }
  return arrow::schema(std::move(fields));
}

/// Fills what views and labels share; returns the base rows.
BaseRows BindRows(const Reference& source, const std::vector<Reference>& entities,
                  const std::vector<Feature>& ready_columns, const Definitions& definitions,
                  const BaseRowsFinder& finder, BoundView* bound, ErrorList* errors) {
  bound->join_keys = JoinKeysOf(entities, definitions.entities, errors);
  auto found = finder.Find(source);
  errors->Add(found.status());
  BaseRows rows = found.ok() ? std::move(*found) : BaseRows{};
  rows.schema =
      WithDeclaredPartitionTypes(rows.schema, entities, definitions.entities, ready_columns);
  bound->source = rows.schema;
  bound->timestamp_field = rows.timestamp_field;
  bound->created_column = rows.created_column;
  if (rows.Columns() != nullptr) {
    CheckJoinKeyColumns(entities, definitions.entities, *rows.Columns(), rows.MayHaveMore(),
                        rows.described_as, errors);
  }
  return rows;
}

/// A ready column has the type of its source, and says so where it says a type.
arrow::Status BindReadyColumn(const BaseRows& rows, bool stored_only, BoundFeature* bound) {
  const Feature& feature = *bound->feature;
  std::shared_ptr<arrow::DataType> declared;
  const auto logical = LogicalFeastType(feature.type);
  if (!feature.type.empty() && !logical) {
    auto type = TypeFromName(feature.type);
    if (!type.ok()) return Placed(type.status(), feature.where);
    declared = *type;
  }
  bound->type = bound->foreseen = declared;
  const auto& columns = rows.Columns();
  if (columns == nullptr) return arrow::Status::OK();
  const auto field = columns->GetFieldByName(feature.name);
  if (field == nullptr && rows.MayHaveMore()) return arrow::Status::OK();
  if (field == nullptr) {
    return ErrorAt(feature.where, ErrorKind::kDefinition,
                   fmt::format("unknown column \"{}\" in {}", feature.name, rows.described_as),
                   NearestOrAll(feature.name, columns->field_names(), "columns are "));
  }
  if (expression::IsUnknown(*field->type())) return arrow::Status::OK();
  if (rows.schema != nullptr) bound->type = field->type();
  bound->foreseen = field->type();
  // What Feast has applied is as its files are, whatever was declared.
  if (stored_only) return arrow::Status::OK();
  const auto own = FeastTypeOf(*field->type());
  if (!own.ok()) return Placed(own.status(), feature.where);
  if (logical ? CanHoldLogicalType(*logical, *own) : declared == nullptr)
    return arrow::Status::OK();
  std::string wanted = logical.value_or("");
  if (!logical) {
    VIAND_ASSIGN_OR_RETURN(wanted, FeastTypeOf(*declared));
  }
  if (*own == wanted) return arrow::Status::OK();
  return ErrorAt(feature.where, ErrorKind::kDefinition,
                 fmt::format("the feature \"{}\" is declared {}, but {} has it as {}", feature.name,
                             wanted, rows.described_as, *own),
                 fmt::format("write dtype: {}, or leave it out", *own));
}

void BindReadyColumns(const FeatureView& view, const BaseRows& rows, BoundView* bound,
                      ErrorList* errors) {
  for (const Feature& feature : view.features) {
    const auto& keys = bound->join_keys;
    // Feast's schemas list the join keys among the columns; they are no features.
    if (std::find(keys.begin(), keys.end(), feature.name) != keys.end()) continue;
    BoundFeature column;
    column.feature = &feature;
    errors->Add(BindReadyColumn(rows, view.stored_only, &column));
    bound->features.push_back(std::move(column));
  }
}

arrow::Status CheckDirection(const Window& window, bool following, const std::string& owner) {
  if (window.following == following) return arrow::Status::OK();
  if (window.following) {
    return ErrorAt(
        window.where, ErrorKind::kDefinition,
        fmt::format("a following window in the {}: it would look into the future", owner),
        "only labels look after their row's time");
  }
  return ErrorAt(window.where, ErrorKind::kDefinition,
                 fmt::format("expected a following window in the {}", owner),
                 "labels look after their row's time: write such as \"30d following\"");
}

void BindComputedFeatures(const std::vector<Feature>& features, const Window& window,
                          bool following, const AggregateScope& scope, BoundView* bound,
                          ErrorList* errors) {
  for (const Feature& feature : features) {
    BoundFeature column;
    column.feature = &feature;
    column.window = feature.window.value_or(window);
    if (feature.window) errors->Add(CheckDirection(*feature.window, following, scope.owner));
    if (feature.function)
      BindFunctionFeature(scope, &column, errors);
    else
      BindAggregateFeature(scope, &column, errors);
    bound->features.push_back(std::move(column));
  }
}

arrow::Status CheckViewWindow(const FeatureView& view, const std::string& owner) {
  if (view.window) return CheckDirection(*view.window, /*following=*/false, owner);
  return ErrorAt(view.where, ErrorKind::kDefinition,
                 fmt::format("the {} lacks the key \"window\"", owner),
                 "its window decides which keys have a row: write such as 90d, or unbounded");
}

/// Resolves the grid and the ttl: one step of the grid where the view says nothing.
arrow::Status BindSnapshots(const FeatureView& view, const Definitions& definitions,
                            BoundView* bound) {
  bound->ttl_us = view.ttl_us.value_or(0);
  if (view.snapshots) {
    VIAND_ASSIGN_OR_RETURN(const Snapshots* grid,
                           Resolve(definitions.snapshots, *view.snapshots, "snapshots"));
    if (!view.ttl_us) bound->ttl_us = grid->every_us;
    return arrow::Status::OK();
  }
  if (!view.computed || bound->ttl_us == 0) return arrow::Status::OK();
  return ErrorAt(
      view.where, ErrorKind::kDefinition,
      fmt::format("the feature view \"{}\" has a ttl and no snapshots", view.name),
      "without snapshots it is computed exactly at each row's time, so nothing grows old");
}

/// The entities of the rows that labels are made for.
arrow::Result<std::vector<Reference>> PopulationEntities(const Labels& labels,
                                                         const Definitions& definitions) {
  if (labels.population.name.empty()) return labels.entities;
  if (FindByName(definitions.feature_views, labels.population.name) == nullptr) {
    VIAND_RETURN_NOT_OK(
        Resolve(definitions.feature_views, labels.population, "feature view").status());
  }
  const FeatureView& view = *FindByName(definitions.feature_views, labels.population.name);
  if (view.computed && view.snapshots) return view.entities;
  return ErrorAt(labels.population.where, ErrorKind::kDefinition,
                 fmt::format("the population \"{}\" of labels \"{}\" is no view with snapshots",
                             view.name, labels.name),
                 "give it snapshots, or write population: {spine: PATH, entities: [...]}");
}

}  // namespace

BoundView BindView(const FeatureView& view, const Definitions& definitions,
                   const BaseRowsFinder& base_rows, ErrorList* errors) {
  const size_t errors_before = errors->size();
  const std::string owner = fmt::format("feature view \"{}\"", view.name);
  BoundView bound;
  bound.view = &view;
  const BaseRows rows =
      BindRows(view.source, view.entities, view.computed ? std::vector<Feature>{} : view.features,
               definitions, base_rows, &bound, errors);
  errors->Add(BindSnapshots(view, definitions, &bound));
  if (view.computed) {
    const AggregateScope scope{rows, owner};
    errors->Add(CheckViewWindow(view, owner));
    bound.filter = BindRowCondition(view.filter, scope, errors);
    bound.having = BindGroupCondition(view.having, scope, errors);
    BindComputedFeatures(view.features, view.window.value_or(Window{}), /*following=*/false, scope,
                         &bound, errors);
    CheckFeatureNames(bound, owner, errors);
  } else {
    BindReadyColumns(view, rows, &bound, errors);
  }
  if (errors->size() == errors_before) bound.output = OutputOf(bound);
  return bound;
}

BoundView BindLabels(const Labels& labels, const Definitions& definitions,
                     const BaseRowsFinder& base_rows, ErrorList* errors) {
  const size_t errors_before = errors->size();
  const std::string owner = fmt::format("labels \"{}\"", labels.name);
  BoundView bound;
  bound.labels = &labels;
  const auto entities = PopulationEntities(labels, definitions);
  errors->Add(entities.status());
  const BaseRows rows =
      BindRows(labels.source, entities.ok() ? *entities : std::vector<Reference>{}, {}, definitions,
               base_rows, &bound, errors);
  const AggregateScope scope{rows, owner};
  errors->Add(CheckDirection(labels.window, /*following=*/true, owner));
  bound.filter = BindRowCondition(labels.filter, scope, errors);
  BindComputedFeatures(labels.columns, labels.window, /*following=*/true, scope, &bound, errors);
  CheckFeatureNames(bound, owner, errors);
  if (errors->size() == errors_before) bound.output = OutputOf(bound);
  return bound;
}

}  // namespace viand::definition
