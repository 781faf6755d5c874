#include "src/offline/parquet_file.h"

#include <arrow/io/interfaces.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/metadata.h>

#include "src/common/block_pool.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/read_file.h"

namespace viand::offline {
namespace {

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> Open(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto footer, engine::ReadFooter(path, ""));
  ARROW_ASSIGN_OR_RAISE(const auto input, engine::OpenDataFile(path, ""));
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(input, parquet::default_reader_properties(), footer->metadata));
  return builder.memory_pool(ProcessPool())->Build();
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

arrow::Result<std::shared_ptr<arrow::Table>> ReadParquetHead(const std::string& path,
                                                             int64_t most_rows) {
  ARROW_ASSIGN_OR_RAISE(auto reader, Open(path));
  const auto metadata = reader->parquet_reader()->metadata();
  std::vector<int> groups;
  int64_t rows = 0;
  for (int group = 0; group < metadata->num_row_groups() && rows < most_rows; ++group) {
    rows += metadata->RowGroup(group)->num_rows();
    groups.push_back(group);
  }
  ARROW_ASSIGN_OR_RAISE(const auto table, reader->ReadRowGroups(groups));
  return table->Slice(0, most_rows);
}

arrow::Result<std::shared_ptr<arrow::Schema>> ReadParquetSchema(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto footer, engine::ReadFooter(path, ""));
  return footer->schema;
}

arrow::Result<int64_t> ParquetRowCount(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto footer, engine::ReadFooter(path, ""));
  return footer->metadata->num_rows();
}

}  // namespace viand::offline
