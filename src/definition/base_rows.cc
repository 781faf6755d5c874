#include "src/definition/base_rows.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include "src/definition/name_resolution.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::definition {
namespace {

using SchemaPtr = std::shared_ptr<arrow::Schema>;

arrow::Status SourceError(const Source& source, std::string message, std::string hint = "") {
  return ErrorAt(source.where, ErrorKind::kDefinition,
                 fmt::format("source \"{}\": {}", source.name, message), std::move(hint));
}

/// Renames the columns as field_mapping says. `open`: there may be more columns.
arrow::Result<SchemaPtr> Mapped(const Source& source, const SchemaPtr& schema, bool open) {
  for (const auto& [from, to] : source.field_mapping) {
    if (open || schema->GetFieldIndex(from) >= 0) continue;
    return SourceError(source, fmt::format("field_mapping names the unknown column \"{}\"", from),
                       NearestOrAll(from, schema->field_names(), "columns are "));
  }
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    const auto mapped = source.field_mapping.find(field->name());
    fields.push_back(mapped == source.field_mapping.end() ? field
                                                          : field->WithName(mapped->second));
  }
  auto result = arrow::schema(std::move(fields));
  for (const auto& field : result->fields()) {
    if (result->GetAllFieldIndices(field->name()).size() == 1) continue;
    return SourceError(source, fmt::format("two columns are named \"{}\"", field->name()),
                       "map one of them to another name in field_mapping");
  }
  return result;
}

bool IsTime(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::DATE32 ||
         type.id() == arrow::Type::DATE64;
}

arrow::Status CheckTimeColumn(const Source& source, const arrow::Schema& schema, bool open,
                              std::string_view key, const std::string& column) {
  const auto field = schema.GetFieldByName(column);
  if (field == nullptr && open) return arrow::Status::OK();
  if (field == nullptr) {
    return SourceError(source, fmt::format("{} names the unknown column \"{}\"", key, column),
                       NearestOrAll(column, schema.field_names(), "columns are "));
  }
  if (IsTime(*field->type()) || expression::IsUnknown(*field->type())) return arrow::Status::OK();
  return SourceError(source, fmt::format("{} \"{}\" is of type {}, expected timestamp or date", key,
                                         column, expression::TypeToSql(*field->type())));
}

}  // namespace

void BaseRowsFinder::BindSources(ErrorList* errors) {
  for (const Source& source : definitions_.sources) {
    auto rows = OfSource(source);
    errors->Add(rows.status());
    sources_.push_back(rows.ok() ? std::move(*rows) : BaseRows{});
  }
}

arrow::Result<SchemaPtr> BaseRowsFinder::FileSchema(const Source& source) const {
  for (const BoundDataset& dataset : bound_.datasets) {
    if (NormalPath(dataset.dataset->to) != NormalPath(source.path)) continue;
    if (dataset.output != nullptr) return dataset.output;
  }
  const auto schema = files_.source(source);
  if (schema.ok()) return schema;
  const ErrorDetail* detail = DetailOf(schema.status());
  return ErrorAt(source.where, KindOf(schema.status()),
                 fmt::format("source \"{}\": {}", source.name, schema.status().message()),
                 detail == nullptr ? "" : detail->hint);
}

Foreseen BaseRowsFinder::ForeseenOf(const Source& source) const {
  for (const BoundDataset& dataset : bound_.datasets) {
    if (NormalPath(dataset.dataset->to) == NormalPath(source.path)) return dataset.foreseen;
  }
  return {};
}

arrow::Result<BaseRows> BaseRowsFinder::OfSource(const Source& source) const {
  BaseRows rows;
  rows.timestamp_field = source.timestamp_field;
  rows.created_column = source.created_timestamp_column;
  rows.described_as = "source " + source.name;
  VIAND_ASSIGN_OR_RETURN(rows.schema, FileSchema(source));
  if (rows.schema == nullptr) rows.foreseen = ForeseenOf(source);
  if (rows.Columns() == nullptr) return rows;
  const bool open = rows.MayHaveMore();
  VIAND_ASSIGN_OR_RETURN(const SchemaPtr schema, Mapped(source, rows.Columns(), open));
  VIAND_RETURN_NOT_OK(
      CheckTimeColumn(source, *schema, open, "timestamp_field", source.timestamp_field));
  if (!source.created_timestamp_column.empty()) {
    VIAND_RETURN_NOT_OK(CheckTimeColumn(source, *schema, open, "created_timestamp_column",
                                        source.created_timestamp_column));
  }
  (rows.schema != nullptr ? rows.schema : rows.foreseen.columns) = schema;
  return rows;
}

arrow::Result<BaseRows> BaseRowsFinder::OfView(const FeatureView& view,
                                               const Reference& reference) const {
  if (!view.computed || !view.snapshots) {
    return ErrorAt(
        reference.where, ErrorKind::kDefinition,
        fmt::format("the feature view \"{}\" has no stored rows to read: it {}", view.name,
                    view.computed ? "has no snapshots" : "holds ready columns"),
        view.computed ? "give it snapshots" : "read its source instead");
  }
  BaseRows rows;
  rows.timestamp_field = kEventTimestamp;
  rows.described_as = "feature view " + view.name;
  const BoundView* bound = bound_.FindView(view.name);
  if (bound == nullptr) return rows;
  const auto time = arrow::field(kEventTimestamp, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
  if (bound->output == nullptr) {
    arrow::FieldVector fields;
    for (const std::string& key : bound->join_keys) {
      fields.push_back(arrow::field(key, expression::UnknownType()));
    }
    for (const BoundFeature& feature : bound->features) {
      fields.push_back(arrow::field(feature.feature->name, feature.foreseen != nullptr
                                                               ? feature.foreseen
                                                               : expression::UnknownType()));
    }
    fields.push_back(time);
    rows.foreseen = {arrow::schema(std::move(fields)), /*open=*/false};
    return rows;
  }
  VIAND_ASSIGN_OR_RETURN(rows.schema, bound->output->AddField(bound->output->num_fields(), time));
  return rows;
}

arrow::Result<BaseRows> BaseRowsFinder::Find(const Reference& reference) const {
  const Source* source = FindByName(definitions_.sources, reference.name);
  if (source != nullptr) return sources_[source - definitions_.sources.data()];
  const FeatureView* view = FindByName(definitions_.feature_views, reference.name);
  if (view != nullptr) return OfView(*view, reference);
  if (FindByName(definitions_.labels, reference.name) != nullptr) {
    return ErrorAt(reference.where, ErrorKind::kDefinition,
                   fmt::format("\"{}\" are labels; a label is never a feature", reference.name),
                   "a label looks into the future of its row");
  }
  std::vector<std::string> names = NamesOf(definitions_.sources);
  const std::vector<std::string> views = NamesOf(definitions_.feature_views);
  names.insert(names.end(), views.begin(), views.end());
  return UnknownName(reference, "source", names);
}

}  // namespace viand::definition
