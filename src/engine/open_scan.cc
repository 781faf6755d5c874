#include "src/engine/open_scan.h"

#include <arrow/compute/expression.h>
#include <arrow/compute/initialize.h>
#include <arrow/dataset/file_base.h>
#include <arrow/dataset/file_parquet.h>
#include <arrow/ipc/reader.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <vector>

#include "src/common/file_signature.h"
#include "src/engine/plain_array.h"
#include "src/engine/read_file.h"
#include "src/engine/scan_schema.h"
#include "src/expression/arrow_filter.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;
namespace ds = arrow::dataset;

arrow::Status NotParquet(const arrow::Status& status, const std::string& path,
                         const std::string& described_as) {
  const std::string why = WhyNotParquet(path);
  return MakeError(ErrorKind::kInput,
                   why.empty()
                       ? fmt::format("{}: cannot read {}: {}", described_as, path, status.message())
                       : fmt::format("{}: {} is not a Parquet file: {}", described_as, path, why),
                   "is the file whole?");
}

arrow::Result<OpenedFile> OpenParquet(const std::string& path, const std::string& described_as) {
  VIAND_ASSIGN_OR_RETURN(const DataFile found, FindDataFile(path, described_as));
  const auto format = std::make_shared<ds::ParquetFileFormat>();
  const ds::FileSource source(found.path, found.filesystem);
  OpenedFile file{.path = path, .schema = nullptr, .groups = {}, .parquet = nullptr};
  VIAND_ASSIGN_OR_RETURN(auto whole, format->MakeFragment(source));
  file.parquet = std::static_pointer_cast<ds::ParquetFileFragment>(whole);
  if (auto status = file.parquet->EnsureCompleteMetadata(); !status.ok()) {
    return NotParquet(status, path, described_as);
  }
  VIAND_ASSIGN_OR_RETURN(file.schema, file.parquet->ReadPhysicalSchema());
  const auto metadata = file.parquet->metadata();
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    file.groups.push_back({i, metadata->RowGroup(i)->num_rows()});
  }
  return file;
}

arrow::Result<OpenedFile> OpenIpc(const std::string& path, const std::string& described_as) {
  VIAND_ASSIGN_OR_RETURN(auto reader, OpenIpcFile(path, described_as));
  OpenedFile file{.path = path, .schema = reader->schema(), .groups = {}, .parquet = nullptr};
  const int batches = reader->num_record_batches();
  VIAND_ASSIGN_OR_RETURN(const int64_t rows, reader->CountRows());
  for (int i = 0; i < batches; ++i) file.groups.push_back({i, rows / batches});
  return file;
}

/// Reads CSV files whole and puts them under one schema.
arrow::Result<std::shared_ptr<arrow::Table>> ReadCsvFiles(
    const Scan& scan, const std::map<std::string, std::shared_ptr<arrow::DataType>>& types) {
  if (scan.csv_text != nullptr) return ReadCsvText(scan.csv_text, types, scan.described_as);
  std::vector<std::shared_ptr<arrow::Table>> tables;
  std::shared_ptr<arrow::Schema> schema;
  for (const std::string& path : scan.files) {
    VIAND_ASSIGN_OR_RETURN(auto table, ReadCsvFile(path, types, scan.described_as));
    VIAND_RETURN_NOT_OK(RenamedSchema(*table->schema(), {}, scan.described_as).status());
    if (schema == nullptr) schema = table->schema();
    for (const auto& field : schema->fields()) {
      if (table->schema()->GetFieldIndex(field->name()) < 0) {
        return MissingColumn(field->name(), *table->schema(), path, scan.described_as);
      }
    }
    VIAND_ASSIGN_OR_RETURN(schema,
                           WidenedSchema(schema, *table->schema(), path, scan.described_as));
    tables.push_back(std::move(table));
  }
  for (auto& table : tables) {
    std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
    for (const auto& field : schema->fields()) {
      arrow::ArrayVector chunks;
      for (const auto& chunk : table->GetColumnByName(field->name())->chunks()) {
        VIAND_ASSIGN_OR_RETURN(auto plain, ToPlain(chunk, field->type()));
        chunks.push_back(std::move(plain));
      }
      columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks), field->type()));
    }
    table = arrow::Table::Make(schema, std::move(columns), table->num_rows());
  }
  return arrow::ConcatenateTables(tables);
}

/// Types that the caller and the plan declare, under the names in the file; the plan's schema comes
/// first, then the caller's.
std::map<std::string, std::shared_ptr<arrow::DataType>> CsvTypes(
    const Scan& scan, std::map<std::string, std::shared_ptr<arrow::DataType>> types) {
  types.insert(scan.csv_types.begin(), scan.csv_types.end());
  if (scan.schema == nullptr) return types;
  for (const auto& field : scan.schema->fields()) {
    std::string name = field->name();
    for (const auto& [in_file, here] : scan.renames) {
      if (here == name) name = in_file;
    }
    types[name] = PlainType(field->type());
  }
  return types;
}

arrow::Status OpenFiles(const Scan& scan, OpenedScan* opened) {
  for (const std::string& path : scan.files) {
    auto file = scan.format == FileFormat::kIpc ? OpenIpc(path, scan.described_as)
                                                : OpenParquet(path, scan.described_as);
    VIAND_RETURN_NOT_OK(file);
    VIAND_ASSIGN_OR_RETURN(auto schema,
                           RenamedSchema(*file->schema, scan.renames, scan.described_as));
    if (opened->schema == nullptr) opened->schema = schema;
    if (scan.schema == nullptr) {
      VIAND_ASSIGN_OR_RETURN(opened->schema,
                             WidenedSchema(opened->schema, *schema, path, scan.described_as));
    }
    opened->files.push_back(std::move(*file));
  }
  return arrow::Status::OK();
}

/// The predicate over the names in the file, which is what the file's statistics are about.
expression::ExpressionPtr InFileNames(const OpenedScan& scan,
                                      const expression::ExpressionPtr& expression) {
  auto copy = std::make_shared<expression::Expression>(*expression);
  if (copy->kind == expression::ExpressionKind::kColumn)
    copy->column = scan.NameInFile(copy->column);
  for (auto& child : copy->children) child = InFileNames(scan, child);
  return copy;
}

/// A predicate that Arrow cannot type over this file's schema prunes nothing: the exact one decides
/// later.
void PruneFile(const cp::Expression& filter, OpenedFile* file) {
  auto bound = filter.Bind(*file->schema);
  if (!bound.ok()) return;
  auto subset = file->parquet->Subset(*bound);
  if (!subset.ok()) return;
  const auto& kept = static_cast<const ds::ParquetFileFragment&>(**subset).row_groups();
  std::erase_if(file->groups, [&kept](const RowGroup& group) {
    return std::find(kept.begin(), kept.end(), group.index) == kept.end();
  });
}

}  // namespace

int64_t OpenedScan::RowCount() const {
  if (table != nullptr) return table->num_rows();
  int64_t rows = 0;
  for (const OpenedFile& file : files) {
    for (const RowGroup& group : file.groups) rows += group.rows;
  }
  return rows;
}

std::string OpenedScan::NameInFile(const std::string& name) const {
  for (const auto& [in_file, here] : renames) {
    if (here == name) return in_file;
  }
  return name;
}

arrow::Result<OpenedScan> OpenScan(
    const Scan& scan, const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types) {
  // Predicates over statistics are bound to Arrow's functions.
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  OpenedScan opened;
  opened.renames = scan.renames;
  opened.described_as = scan.described_as;
  opened.format = scan.format;
  if (scan.table != nullptr) {
    opened.table = scan.table;
  } else if (scan.files.empty() && scan.csv_text == nullptr) {
    return MakeError(ErrorKind::kInput, fmt::format("{} has no files", scan.described_as),
                     "run the step that makes them, or check the path");
  } else if (scan.format == FileFormat::kCsv) {
    VIAND_ASSIGN_OR_RETURN(opened.table, ReadCsvFiles(scan, CsvTypes(scan, csv_types)));
  } else {
    VIAND_RETURN_NOT_OK(OpenFiles(scan, &opened));
  }
  if (opened.table != nullptr) {
    VIAND_ASSIGN_OR_RETURN(opened.schema,
                           RenamedSchema(*opened.table->schema(), scan.renames, scan.described_as));
  }
  if (scan.schema != nullptr) opened.schema = scan.schema;
  return opened;
}

arrow::Result<std::shared_ptr<arrow::Schema>> SelectColumns(const OpenedScan& scan,
                                                            const std::vector<std::string>& names) {
  arrow::FieldVector fields;
  for (const std::string& name : names) {
    const auto field = scan.schema->GetFieldByName(name);
    if (field == nullptr) {
      const std::string path = scan.files.size() == 1 ? scan.files[0].path : "";
      return MissingColumn(name, *scan.schema, path, scan.described_as);
    }
    const auto check = [&](const arrow::Schema& schema, const std::string& path) -> arrow::Status {
      const auto found = schema.GetFieldByName(scan.NameInFile(name));
      if (found == nullptr)
        return MissingColumn(scan.NameInFile(name), schema, path, scan.described_as);
      return CheckType(name, found->type(), field->type(), path, scan.described_as);
    };
    if (scan.table != nullptr) VIAND_RETURN_NOT_OK(check(*scan.table->schema(), ""));
    for (const OpenedFile& file : scan.files) VIAND_RETURN_NOT_OK(check(*file.schema, file.path));
    fields.push_back(arrow::field(name, PlainType(field->type())));
  }
  return arrow::schema(std::move(fields));
}

void PruneGroups(OpenedScan* scan, const expression::ExpressionPtr& filter,
                 const std::string& time_column, const TimeRange& range) {
  cp::Expression predicate = cp::literal(true);
  if (filter != nullptr) predicate = expression::ToArrowFilter(*InFileNames(*scan, filter));
  for (OpenedFile& file : scan->files) {
    if (range.IsEmpty()) file.groups.clear();
    if (file.groups.empty() || file.parquet == nullptr) continue;
    const std::string name = scan->NameInFile(time_column);
    const auto field = file.schema->GetFieldByName(name);
    cp::Expression both = predicate;
    if (range.Binds() && field != nullptr && IsTimeType(*field->type())) {
      both = cp::and_(predicate, RangeFilter(name, field->type(), range));
    }
    PruneFile(both, &file);
  }
  if (range.IsEmpty() && scan->table != nullptr) scan->table = scan->table->Slice(0, 0);
}

}  // namespace viand::engine
