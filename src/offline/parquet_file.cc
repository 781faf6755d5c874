#include "src/offline/parquet_file.h"

#include <arrow/io/file.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>

namespace viand::offline {
namespace {

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> Open(const std::string& path) {
  const auto input = arrow::io::ReadableFile::Open(path);
  if (!input.ok()) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("cannot read {}: {}", path, input.status().message()));
  }
  auto reader = parquet::arrow::OpenFile(*input, arrow::default_memory_pool());
  if (!reader.ok()) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("{} is not a Parquet file: {}", path, reader.status().message()));
  }
  return reader;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Table>> ReadParquet(const std::string& path,
                                                         const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto reader, Open(path));
  reader->set_use_threads(true);
  if (columns.empty()) return reader->ReadTable();
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  // Parquet counts leaves: with a nested column, an index into the schema is not one into the file.
  const bool flat = reader->parquet_reader()->metadata()->num_columns() == schema->num_fields();
  std::vector<int> indices;
  for (const std::string& column : columns) {
    const int index = schema->GetFieldIndex(column);
    if (index < 0) {
      return MakeError(ErrorKind::kInput, fmt::format("{} has no column \"{}\"", path, column),
                       DidYouMean(column, schema->field_names()));
    }
    indices.push_back(index);
  }
  if (flat) return reader->ReadTable(indices);
  ARROW_ASSIGN_OR_RAISE(auto table, reader->ReadTable());
  return table->SelectColumns(indices);
}

arrow::Result<std::shared_ptr<arrow::Schema>> ReadParquetSchema(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto reader, Open(path));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  return schema;
}

arrow::Result<int64_t> ParquetRowCount(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto reader, Open(path));
  return reader->parquet_reader()->metadata()->num_rows();
}

}  // namespace viand::offline
