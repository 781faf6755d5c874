// Runs an ingest of files written by a test and prints the result as text, one line a row.
#pragma once

#include <arrow/io/file.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <string>
#include <utility>
#include <vector>

#include "src/expression/binder.h"
#include "src/ingest/ingest.h"
#include "src/ingest/workbook_fixture.h"

namespace viand::ingest::testing {

struct IngestTest {
  explicit IngestTest(const std::string& name) : folder(name) {
    dataset.name = "things";
    dataset.to = "out.parquet";
  }

  void Add(const std::string& name, const std::string& content) {
    folder.Write(name, content);
    dataset.from.paths.push_back({name, {}});
  }
  void Declare(std::vector<std::pair<std::string, std::string>> types) {
    dataset.from.types = std::move(types);
  }

  arrow::Result<IngestReport> Run() {
    definition::BoundDataset bound;
    bound.dataset = &dataset;
    if (bind) Bind(&bound);
    IngestOptions options;
    options.root = folder.root();
    options.sort_by = sort_by;
    return Ingest(bound, options);
  }

  /// Does what validation does where every column is declared.
  void Bind(definition::BoundDataset* bound) const {
    arrow::FieldVector fields;
    for (const auto& [name, type] : dataset.from.types) {
      fields.push_back(arrow::field(name, *expression::TypeFromSql(type)));
    }
    bound->raw = arrow::schema(fields);
    expression::Scope scope;
    scope.columns = bound->raw;
    if (dataset.filter) bound->filter = *expression::ParseAndBind(dataset.filter->text, scope);
    for (const auto& column : dataset.columns) {
      bound->columns.emplace_back(column.name, *expression::ParseAndBind(column.sql.text, scope));
    }
  }

  /// The rows as "a|b|c" lines, null as "-"; or the error with its hint.
  std::string Rows() {
    const arrow::Result<IngestReport> report = Run();
    if (!report.ok()) return Error(report.status());
    std::string text;
    const auto table = Table();
    for (int64_t row = 0; row < table->num_rows(); ++row) {
      for (int column = 0; column < table->num_columns(); ++column) {
        const auto value = *table->column(column)->GetScalar(row);
        text += (column > 0 ? "|" : "") + (value->is_valid ? value->ToString() : "-");
      }
      text += "\n";
    }
    return text;
  }

  /// The types of the result, "bigint|varchar".
  std::string Types() {
    const arrow::Result<IngestReport> report = Run();
    if (!report.ok()) return Error(report.status());
    std::string text;
    for (const auto& field : report->schema->fields()) {
      text += (text.empty() ? "" : "|") + expression::TypeToSql(*field->type());
    }
    return text;
  }

  std::shared_ptr<arrow::Table> Table() const {
    auto file = *arrow::io::ReadableFile::Open(folder.Path("out.parquet"));
    auto reader = *parquet::arrow::OpenFile(file, arrow::default_memory_pool());
    return *reader->ReadTable();
  }

  /// An error as the user sees it, without the folder.
  std::string Error(const arrow::Status& status) const {
    std::string text = RenderError(status);
    const std::string root = folder.root() + "/";
    for (size_t at = text.find(root); at != std::string::npos; at = text.find(root))
      text.erase(at, root.size());
    return text;
  }

  TestFolder folder;
  definition::Dataset dataset;
  std::string sort_by;
  bool bind = false;  ///< hand over a typed schema rather than have it inferred
};

}  // namespace viand::ingest::testing
