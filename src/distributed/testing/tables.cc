#include "src/distributed/testing/tables.h"

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace viand::distributed::testing {

std::shared_ptr<arrow::Table> TableOf(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(arrow::json::ArrayFromJSONString(column.type, column.json).ValueOrDie());
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

std::shared_ptr<arrow::DataType> Micros() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

std::string Show(const arrow::Table& table, const std::string& column) {
  const auto values = table.GetColumnByName(column);
  if (values == nullptr) return "no column " + column;
  std::string text;
  for (int64_t i = 0; i < values->length(); ++i) {
    const auto scalar = values->GetScalar(i).ValueOrDie();
    text += (i > 0 ? " " : "") + (scalar->is_valid ? scalar->ToString() : "-");
  }
  return text;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "viand_test.XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

std::string Folder::WriteParquet(const arrow::Table& table, const std::string& name,
                                 int64_t row_group_rows) const {
  std::string path = path_ + "/" + name;
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const auto status =
      parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file, row_group_rows,
                                 parquet::default_writer_properties(), properties);
  if (!status.ok() || !file->Close().ok()) std::abort();
  return path;
}

std::string Folder::WriteIpc(const arrow::Table& table, const std::string& name) const {
  std::string path = path_ + "/" + name;
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto writer = arrow::ipc::MakeFileWriter(file, table.schema()).ValueOrDie();
  if (!writer->WriteTable(table).ok() || !writer->Close().ok() || !file->Close().ok()) std::abort();
  return path;
}

std::string Folder::WriteText(const std::string& text, const std::string& name) const {
  std::string path = path_ + "/" + name;
  std::ofstream(path) << text;
  return path;
}

engine::Scan ScanOf(std::shared_ptr<arrow::Table> table, const std::string& described_as) {
  engine::Scan scan;
  scan.table = std::move(table);
  scan.described_as = described_as;
  return scan;
}

engine::Lookup LookupOf(engine::Scan source, std::vector<std::string> keys,
                        std::vector<std::string> columns) {
  engine::AsOfView view;
  view.source = std::move(source);
  view.keys = keys;
  view.timestamp_column = "ts";
  view.columns = columns;
  engine::Lookup lookup;
  lookup.view = std::move(view);
  lookup.spine_keys = std::move(keys);
  lookup.output_names = std::move(columns);
  return lookup;
}

}  // namespace viand::distributed::testing
