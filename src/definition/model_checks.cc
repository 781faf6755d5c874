#include "src/definition/model_checks.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "src/definition/name_resolution.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::definition {
namespace {

arrow::Status ModelError(const Model& model, std::string message, std::string hint = "") {
  return ErrorAt(model.where, ErrorKind::kDefinition,
                 fmt::format("model \"{}\": {}", model.name, message), std::move(hint));
}

bool IsLearnable(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         type.id() == arrow::Type::BOOL;
}

arrow::Status CheckType(const Model& model) {
  const std::vector<std::string> types = {"xgboost"};
  if (std::find(types.begin(), types.end(), model.type) != types.end()) return arrow::Status::OK();
  std::string hint = DidYouMean(model.type, types);
  return ModelError(
      model, fmt::format("unknown type \"{}\", expected {}", model.type, fmt::join(types, ", ")),
      std::move(hint));
}

arrow::Status CheckService(const Model& model, const Definitions& definitions) {
  const std::string& name = model.features.name;
  if (FindByName(definitions.feature_services, name) != nullptr) return arrow::Status::OK();
  if (FindByName(definitions.labels, name) != nullptr) {
    return ErrorAt(model.features.where, ErrorKind::kDefinition,
                   fmt::format("\"{}\" are labels; a label is never a feature", name));
  }
  if (FindByName(definitions.feature_views, name) != nullptr) {
    return ErrorAt(model.features.where, ErrorKind::kDefinition,
                   fmt::format("\"{}\" is a feature view, expected a feature service", name),
                   fmt::format("write feature_services: [{{name: ..., features: [{}]}}]", name));
  }
  return UnknownName(model.features, "feature service", NamesOf(definitions.feature_services));
}

/// Feature columns are unique, numbers or booleans, and the target is none of them.
void CheckFeatures(const Model& model, const std::vector<ServiceColumn>& columns,
                   ErrorList* errors) {
  std::map<std::string, const ServiceColumn*> seen;
  for (const ServiceColumn& column : columns) {
    const std::string& view = column.view->view->name;
    const auto [first, fresh] = seen.emplace(column.name, &column);
    if (!fresh) {
      errors->Add(ModelError(model,
                             fmt::format("the feature \"{}\" comes from \"{}\" and from \"{}\"",
                                         column.name, first->second->view->view->name, view),
                             "give one of the references in the feature service an alias"));
    }
    if (column.name == model.target) {
      errors->Add(ModelError(model, fmt::format("the target \"{}\" is also a feature, of \"{}\"",
                                                model.target, view)));
    }
    if (column.type == nullptr || IsLearnable(*column.type)) continue;
    errors->Add(
        ModelError(model,
                   fmt::format("the feature \"{}\" of \"{}\" is of type {}, expected a number "
                               "or a boolean",
                               column.name, view, expression::TypeToSql(*column.type)),
                   "leave it out of the feature service, or make a number of it"));
  }
}

/// What the training rows have beside features.
struct TrainingRows {
  std::string described_as;
  std::set<std::string> columns;
  bool known = false;
  bool from_snapshots = false;
};

/// Every view's keys (renamed by its join_key_map) must be among the columns of the rows.
void CheckKeys(const Model& model, const TrainingRows& rows,
               const std::vector<ServiceColumn>& columns, ErrorList* errors) {
  std::set<const FeatureReference*> seen;
  for (const ServiceColumn& column : columns) {
    if (!rows.known || !seen.insert(column.reference).second) continue;
    for (const std::string& key : column.view->join_keys) {
      const auto mapped = column.reference->join_key_map.find(key);
      const std::string& name =
          mapped == column.reference->join_key_map.end() ? key : mapped->second;
      if (rows.columns.contains(name)) continue;
      errors->Add(ModelError(
          model,
          fmt::format("the feature view \"{}\" needs the key \"{}\", which {} lack",
                      column.view->view->name, name, rows.described_as),
          NearestOrAll(name, {rows.columns.begin(), rows.columns.end()}, "columns are ")));
    }
  }
}

arrow::Status CheckTargetType(const Model& model, const std::shared_ptr<arrow::DataType>& type) {
  if (type == nullptr || expression::IsUnknown(*type) || IsLearnable(*type)) {
    return arrow::Status::OK();
  }
  return ModelError(model,
                    fmt::format("the target \"{}\" is of type {}, expected a number or a boolean",
                                model.target, expression::TypeToSql(*type)));
}

/// Adds the other columns of the labels' rows: all of a spine's pass through.
void AddPopulation(const Labels& labels, const SpineColumns& spine_columns, TrainingRows* rows) {
  if (rows->from_snapshots) return;
  // A spine that cannot be read is an error of the labels.
  const auto columns = spine_columns(labels.spine_path);
  rows->known = rows->known && columns.ok() && *columns != nullptr;
  if (!rows->known) return;
  for (const std::string& name : (*columns)->field_names()) rows->columns.insert(name);
}

TrainingRows RowsOfLabels(const Model& model, const BoundDefinitions& bound,
                          const SpineColumns& spine_columns, ErrorList* errors) {
  TrainingRows rows;
  rows.described_as = fmt::format("the labels \"{}\"", model.labels.name);
  const Definitions& definitions = *bound.definitions;
  const auto labels = Resolve(definitions.labels, model.labels, "labels");
  errors->Add(labels.status());
  if (!labels.ok()) return rows;
  rows.from_snapshots = !(*labels)->population.name.empty();
  const BoundView* view = bound.FindLabels(model.labels.name);
  if (view == nullptr) return rows;  // its own errors say why
  rows.known = !view->join_keys.empty();
  std::vector<std::string> names;
  const BoundFeature* target = nullptr;
  for (const BoundFeature& column : view->features) {
    names.push_back(column.feature->name);
    if (names.back() == model.target) target = &column;
  }
  rows.columns.insert(names.begin(), names.end());
  rows.columns.insert(view->join_keys.begin(), view->join_keys.end());
  AddPopulation(**labels, spine_columns, &rows);
  if (target != nullptr) {
    errors->Add(CheckTargetType(model, target->foreseen));
    return rows;
  }
  errors->Add(ModelError(
      model, fmt::format("the target \"{}\" is no column of {}", model.target, rows.described_as),
      NearestOrAll(model.target, names, "there is: ")));
  return rows;
}

/// A spine's columns are known where its file exists.
TrainingRows RowsOfSpine(const Model& model, const SpineColumns& spine_columns, ErrorList* errors) {
  TrainingRows rows;
  rows.described_as = fmt::format("the rows of {}", model.spine_path);
  const auto schema = spine_columns(model.spine_path);
  if (!schema.ok()) {
    errors->Add(ModelError(model, schema.status().message()));
    return rows;
  }
  if (*schema == nullptr) return rows;
  rows.known = true;
  const std::vector<std::string> names = (*schema)->field_names();
  rows.columns.insert(names.begin(), names.end());
  for (const std::string& column : {model.spine_timestamp_column, model.target}) {
    if (rows.columns.contains(column)) continue;
    errors->Add(ModelError(
        model, fmt::format("the spine {} has no column \"{}\"", model.spine_path, column),
        NearestOrAll(column, names, "columns are ")));
  }
  const auto target = (*schema)->GetFieldByName(model.target);
  if (target != nullptr) errors->Add(CheckTargetType(model, target->type()));
  return rows;
}

}  // namespace

void CheckModel(const Model& model, const BoundDefinitions& bound, const ServiceColumns& services,
                const SpineColumns& spine_columns, ErrorList* errors) {
  errors->Add(CheckType(model));
  errors->Add(CheckService(model, *bound.definitions));
  const TrainingRows rows = model.spine_path.empty()
                                ? RowsOfLabels(model, bound, spine_columns, errors)
                                : RowsOfSpine(model, spine_columns, errors);
  const bool labels_known =
      !model.spine_path.empty() || bound.FindLabels(model.labels.name) != nullptr;
  if (labels_known && model.split.kind == Split::Kind::kLastSnapshot && !rows.from_snapshots) {
    errors->Add(
        ModelError(model,
                   fmt::format("the split \"last_snapshot\" needs snapshots, and {} have none",
                               rows.described_as),
                   "write split: {test: {after: TIME}} or {test: {fraction: 0.2, by: time}}"));
  }
  const auto columns = services.find(model.features.name);
  if (columns == services.end()) return;
  CheckFeatures(model, columns->second, errors);
  CheckKeys(model, rows, columns->second, errors);
}

}  // namespace viand::definition
