#include "src/definition/dataset_binding.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <set>

#include "src/expression/binder.h"
#include "src/expression/sql_types.h"
#include "src/expression/syntax.h"

namespace viand::definition {
namespace {

using expression::Syntax;
using expression::SyntaxKind;
using expression::SyntaxPtr;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

/// Collects the names that stand for columns.
void CollectColumns(const SyntaxPtr& syntax, std::set<std::string>* columns) {
  if (syntax == nullptr) return;
  const bool as_of = !syntax->quoted && syntax->text == "as_of";
  if (syntax->kind == SyntaxKind::kName && !as_of) columns->insert(syntax->text);
  for (const SyntaxPtr& child : syntax->args) CollectColumns(child, columns);
  for (const SyntaxPtr& child : syntax->per_keys) CollectColumns(child, columns);
  CollectColumns(syntax->filter, columns);
  CollectColumns(syntax->order_by, columns);
}

SchemaPtr DeclaredColumns(const Dataset& dataset, ErrorList* errors) {
  arrow::FieldVector fields;
  for (const auto& [column, type_name] : dataset.from.types) {
    const auto type = expression::TypeFromSql(type_name, dataset.from.type_places.at(column));
    errors->Add(type.status());
    if (type.ok()) fields.push_back(arrow::field(column, *type));
  }
  return arrow::schema(std::move(fields));
}

class Binder {
 public:
  Binder(const Dataset& dataset, SchemaPtr raw, ErrorList* errors)
      : dataset_(dataset), raw_(std::move(raw)), errors_(errors) {}

  /// Binds over the columns of all files.
  BoundDataset BindRead() { return Bind(); }

  /// Binds what declared types allow. `open`: an unknown column may turn up in the files.
  BoundDataset BindForeseen(bool open) {
    open_ = open;
    // The types in one file's header are not yet those of all files.
    deferred_ = !open || dataset_.columns.empty();
    return Bind();
  }

 private:
  BoundDataset Bind() {
    BoundDataset bound;
    bound.dataset = &dataset_;
    const size_t errors_before = errors_->size();
    if (dataset_.filter) bound.filter = BindFilter(*dataset_.filter);
    for (const NamedSql& column : dataset_.columns) {
      bound.columns.emplace_back(column.name, BindColumn(column));
    }
    if (errors_->size() == errors_before) {
      const SchemaPtr output = OutputOf(bound);
      const bool open = open_ && dataset_.columns.empty();
      if (!open) CheckSortBy(*output);
      if (!deferred_) {
        bound.raw = raw_;
        bound.output = output;
        return bound;
      }
      bound.foreseen = {output, open};
    }
    bound.filter = nullptr;
    bound.columns.clear();
    return bound;
  }

  /// Returns null where there is an error.
  ExpressionPtr BindSql(const Sql& sql) {
    const auto syntax = expression::Parse(sql.text, sql.where);
    errors_->Add(syntax.status());
    if (!syntax.ok()) return nullptr;
    std::set<std::string> used;
    CollectColumns(*syntax, &used);
    for (const std::string& column : used) {
      const auto field = raw_->GetFieldByName(column);
      if (field == nullptr || expression::IsUnknown(*field->type())) deferred_ = true;
    }
    const expression::Scope scope{
        .columns = raw_,
        .open = open_,
        .described_as = fmt::format("the raw columns of dataset {}", dataset_.name)};
    auto bound = expression::Bind(*syntax, scope);
    errors_->Add(bound.status());
    return bound.ok() ? *bound : nullptr;
  }

  ExpressionPtr BindFilter(const Sql& sql) {
    ExpressionPtr filter = BindSql(sql);
    if (filter != nullptr && filter->type->id() != arrow::Type::BOOL &&
        !expression::IsUnknown(*filter->type)) {
      errors_->Add(
          ErrorAt(sql.where, ErrorKind::kDefinition,
                  fmt::format("expected a condition as \"where\" of the dataset \"{}\", got {}",
                              dataset_.name, expression::TypeToSql(*filter->type))));
    }
    return filter;
  }

  ExpressionPtr BindColumn(const NamedSql& column) {
    ExpressionPtr expression = BindSql(column.sql);
    if (expression != nullptr && expression->type->id() == arrow::Type::NA) {
      errors_->Add(
          ErrorAt(column.sql.where, ErrorKind::kDefinition,
                  fmt::format("the column \"{}\" is always null and has no type", column.name),
                  "give it one: cast(null as bigint)"));
    }
    return expression;
  }

  SchemaPtr OutputOf(const BoundDataset& bound) const {
    if (dataset_.columns.empty()) return raw_;
    arrow::FieldVector fields;
    for (const auto& [name, expression] : bound.columns) {
      fields.push_back(arrow::field(name, expression->type));
    }
    return arrow::schema(std::move(fields));
  }

  void CheckSortBy(const arrow::Schema& output) {
    if (dataset_.sort_by.empty() || output.GetFieldIndex(dataset_.sort_by) >= 0) return;
    errors_->Add(
        ErrorAt(dataset_.where, ErrorKind::kDefinition,
                fmt::format("the dataset \"{}\" is sorted by \"{}\", which is no column of it",
                            dataset_.name, dataset_.sort_by),
                NearestOrAll(dataset_.sort_by, output.field_names(), "columns are ")));
  }

  const Dataset& dataset_;
  const SchemaPtr raw_;
  ErrorList* const errors_;
  bool open_ = false;
  bool deferred_ = false;  ///< only the data will type it
};

/// The columns of the files, with the declared types where there are any.
arrow::Result<SchemaPtr> WithDeclaredTypes(const Dataset& dataset, const SchemaPtr& raw,
                                           const SchemaPtr& declared) {
  for (const auto& field : declared->fields()) {
    if (raw->GetFieldIndex(field->name()) >= 0) continue;
    return ErrorAt(dataset.from.type_places.at(field->name()), ErrorKind::kInput,
                   fmt::format("the files of dataset \"{}\" have no column \"{}\"", dataset.name,
                               field->name()),
                   NearestOrAll(field->name(), raw->field_names(), "columns are "));
  }
  arrow::FieldVector fields;
  for (const auto& field : raw->fields()) {
    const auto own = declared->GetFieldByName(field->name());
    fields.push_back(own != nullptr ? own : field);
  }
  return arrow::schema(std::move(fields));
}

}  // namespace

BoundDataset BindDeclared(const Dataset& dataset, const SchemaPtr& header, ErrorList* errors) {
  const size_t errors_before = errors->size();
  const SchemaPtr declared = DeclaredColumns(dataset, errors);
  if (errors->size() > errors_before) {
    BoundDataset bound;
    bound.dataset = &dataset;
    return bound;
  }
  // Files that lack a declared column are no definition's fault: ingest says so.
  const auto known = header == nullptr
                         ? SchemaPtr()
                         : WithDeclaredTypes(dataset, header, declared).ValueOr(nullptr);
  if (known != nullptr) return Binder(dataset, known, errors).BindForeseen(/*open=*/false);
  return Binder(dataset, declared, errors).BindForeseen(/*open=*/true);
}

arrow::Result<BoundDataset> BindDataset(const Dataset& dataset, const SchemaPtr& raw) {
  ErrorList errors;
  const SchemaPtr declared = DeclaredColumns(dataset, &errors);
  VIAND_RETURN_NOT_OK(errors.Finish());
  VIAND_ASSIGN_OR_RETURN(const SchemaPtr columns, WithDeclaredTypes(dataset, raw, declared));
  BoundDataset bound = Binder(dataset, columns, &errors).BindRead();
  VIAND_RETURN_NOT_OK(errors.Finish());
  return bound;
}

}  // namespace viand::definition
