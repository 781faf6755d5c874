#include "src/engine/open_scan.h"

#include <arrow/compute/initialize.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/metadata.h>

#include <vector>

#include "src/common/data_location.h"
#include "src/common/io_threads.h"
#include "src/engine/csv_table.h"
#include "src/engine/executor.h"
#include "src/engine/file_constants.h"
#include "src/engine/held_rows.h"
#include "src/engine/hive_partition.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/plain_array.h"
#include "src/engine/read_file.h"
#include "src/engine/scan_schema.h"

namespace viand::engine {
namespace {

/// What texts of tables usually gain by gzip.
constexpr int64_t kGzippedRatio = 6;

OpenedFile OpenParquet(const std::string& path, const ParquetFooter& footer) {
  OpenedFile file{
      .path = path, .listed = footer.file, .in_file = footer.schema, .schema = footer.schema};
  file.parquet = footer.metadata;
  for (int i = 0; i < footer.metadata->num_row_groups(); ++i) {
    const auto group = footer.metadata->RowGroup(i);
    file.groups.push_back({i, group->num_rows(), group->total_compressed_size()});
  }
  return file;
}

arrow::Result<OpenedFile> OpenIpc(const std::string& path, const std::string& described_as) {
  VIAND_ASSIGN_OR_RETURN(ListedFile listed, FindDataFile(path, described_as));
  VIAND_ASSIGN_OR_RETURN(auto reader, OpenIpcFile(path, described_as));
  OpenedFile file{.path = path,
                  .listed = std::move(listed),
                  .in_file = reader->schema(),
                  .schema = reader->schema()};
  const int batches = reader->num_record_batches();
  const auto rows = reader->CountRows();
  if (!rows.ok()) {
    return StorageError(rows.status(), path, described_as, "is it an Arrow IPC file, and whole?");
  }
  for (int i = 0; i < batches; ++i) file.groups.push_back({i, *rows / batches});
  return file;
}

/// Memory for the tables of CSV files, of which each cell takes about what its text does.
arrow::Result<arrow::MemoryPool*> PoolForCsv(const Scan& scan, const Executor* executor) {
  if (executor == nullptr) return ProcessPool();
  int64_t bytes = scan.csv_text != nullptr ? scan.csv_text->size() : 0;
  for (const std::string& path : scan.files) {
    VIAND_ASSIGN_OR_RETURN(const ListedFile file, FindDataFile(path, scan.described_as));
    bytes += file.size_bytes * (ParseAddress(path).path.ends_with(".gz") ? kGzippedRatio : 1);
  }
  return executor->PoolFor(bytes);
}

/// Reads CSV files whole and puts them under one schema.
arrow::Result<std::shared_ptr<arrow::Table>> ReadCsvFiles(
    const Scan& scan, const std::map<std::string, std::shared_ptr<arrow::DataType>>& types,
    const Executor* executor) {
  VIAND_ASSIGN_OR_RETURN(arrow::MemoryPool * pool, PoolForCsv(scan, executor));
  if (scan.csv_text != nullptr) return ReadCsvText(scan.csv_text, types, scan.described_as, pool);
  std::vector<std::shared_ptr<arrow::Table>> tables;
  std::shared_ptr<arrow::Schema> schema;
  for (const std::string& path : scan.files) {
    VIAND_ASSIGN_OR_RETURN(auto table, ReadCsvFile(path, types, scan.described_as, pool));
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
std::map<std::string, std::shared_ptr<arrow::DataType>> TypesOfCsv(
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

arrow::Result<std::vector<OpenedFile>> OpenEach(const Scan& scan) {
  std::vector<OpenedFile> files;
  if (scan.format == FileFormat::kIpc) {
    for (const std::string& path : scan.files) {
      VIAND_ASSIGN_OR_RETURN(auto file, OpenIpc(path, scan.described_as));
      files.push_back(std::move(file));
    }
    return files;
  }
  VIAND_ASSIGN_OR_RETURN(const auto footers, ReadFooters(scan.files, scan.described_as));
  for (size_t i = 0; i < footers.size(); ++i)
    files.push_back(OpenParquet(scan.files[i], *footers[i]));
  return files;
}

using ColumnTypes = std::map<std::string, std::shared_ptr<arrow::DataType>>;

/// The columns that folders spell, of the types that are declared for them.
arrow::Result<std::shared_ptr<arrow::Schema>> PartitionsOf(const Scan& scan,
                                                           const ColumnTypes& types) {
  if (!scan.hive_partitions) return arrow::schema({});
  VIAND_ASSIGN_OR_RETURN(auto partitions, PartitionSchema(scan.files));
  for (int i = 0; i < partitions->num_fields(); ++i) {
    const auto declared = types.find(partitions->field(i)->name());
    if (declared == types.end()) continue;
    VIAND_ASSIGN_OR_RETURN(
        partitions, partitions->SetField(i, partitions->field(i)->WithType(declared->second)));
  }
  return partitions;
}

arrow::Status OpenFiles(const Scan& scan, const ColumnTypes& types, OpenedScan* opened) {
  VIAND_ASSIGN_OR_RETURN(opened->files, OpenEach(scan));
  VIAND_ASSIGN_OR_RETURN(const auto partitions, PartitionsOf(scan, types));
  const arrow::Schema* last = nullptr;
  for (const OpenedFile& file : opened->files) {
    // Most sources have one schema: what is the last one's again adds nothing.
    if (last != nullptr && file.schema->Equals(*last)) continue;
    last = file.schema.get();
    VIAND_ASSIGN_OR_RETURN(auto schema,
                           RenamedSchema(*file.schema, scan.renames, scan.described_as));
    opened->schema = opened->schema == nullptr ? schema : MergedSchema(*opened->schema, *schema);
  }
  VIAND_ASSIGN_OR_RETURN(auto renamed, RenamedSchema(*partitions, scan.renames, scan.described_as));
  opened->schema = MergedSchema(*opened->schema, *renamed);
  if (scan.schema != nullptr) opened->schema = scan.schema;
  for (OpenedFile& file : opened->files)
    VIAND_RETURN_NOT_OK(AddConstants(scan, *partitions, *opened, &file));
  return arrow::Status::OK();
}

/// A store tells the time of a file in a list more exactly than the file's own.
bool IsSameState(const ListedFile& a, const ListedFile& b) {
  const int64_t unit_ns = IsRemotePath(a.path) ? 1'000'000'000 : 1;
  return a.size_bytes == b.size_bytes && a.modified_ns / unit_ns == b.modified_ns / unit_ns;
}

}  // namespace

int64_t OpenedScan::RowCount() const {
  if (table != nullptr) return table->num_rows();
  if (held != nullptr) return held->rows();
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
    const Scan& scan, const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types,
    const Executor* executor) {
  // Predicates over statistics are bound to Arrow's functions.
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  OpenedScan opened;
  opened.renames = scan.renames;
  opened.described_as = scan.described_as;
  opened.format = scan.format;
  if (scan.table != nullptr) {
    opened.table = scan.table;
  } else if (scan.held != nullptr) {
    opened.held = scan.held;
    VIAND_ASSIGN_OR_RETURN(opened.schema, RenamedSchema(*scan.held->schema, {}, scan.described_as));
  } else if (scan.files.empty() && scan.csv_text == nullptr) {
    return MakeError(ErrorKind::kInput, fmt::format("{} has no files", scan.described_as),
                     "run the step that makes them, or check the path");
  } else if (scan.format == FileFormat::kCsv) {
    VIAND_ASSIGN_OR_RETURN(opened.table, ReadCsvFiles(scan, TypesOfCsv(scan, csv_types), executor));
  } else {
    VIAND_RETURN_NOT_OK(OpenFiles(scan, csv_types, &opened));
  }
  if (opened.table != nullptr) {
    VIAND_ASSIGN_OR_RETURN(opened.schema,
                           RenamedSchema(*opened.table->schema(), scan.renames, scan.described_as));
  }
  if (scan.schema != nullptr) opened.schema = scan.schema;
  return opened;
}

arrow::Status CheckUnchanged(const OpenedScan& scan) {
  const auto check = [&scan](const OpenedFile& file) -> arrow::Result<bool> {
    // Of one that is left out only the footer was read.
    if (file.groups.empty()) return true;
    VIAND_ASSIGN_OR_RETURN(const ListedFile now, FindDataFile(file.path, scan.described_as));
    if (IsSameState(now, file.listed)) return true;
    return MakeError(ErrorKind::kInput,
                     fmt::format("{}: {} was written anew while it was read", scan.described_as,
                                 DisplayPath(file.path)),
                     "let what writes it finish, then run the command again");
  };
  return MapOnIoThreads(scan.files, check).status();
}

FilePart PartOf(const OpenedScan& scan, const OpenedFile& file) {
  FilePart part{.path = file.path, .format = scan.format, .constants = file.constants};
  for (const RowGroup& group : file.groups) part.groups.push_back(group.index);
  return part;
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
    const std::string in_file = scan.NameInFile(name);
    const auto check = [&](const arrow::Schema& schema, const std::string& path) -> arrow::Status {
      const auto found = schema.GetFieldByName(in_file);
      if (found == nullptr) return MissingColumn(in_file, schema, path, scan.described_as);
      return CheckType(name, found->type(), field->type(), path, scan.described_as);
    };
    if (scan.table != nullptr) VIAND_RETURN_NOT_OK(check(*scan.table->schema(), ""));
    for (const OpenedFile& file : scan.files) {
      VIAND_RETURN_NOT_OK(check(*file.schema, file.path));
      VIAND_RETURN_NOT_OK(CheckAgreement(in_file, file, scan.described_as));
    }
    fields.push_back(arrow::field(name, PlainType(field->type())));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace viand::engine
