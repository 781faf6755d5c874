#include "src/engine/read_file.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "src/common/block_pool.h"
#include "src/common/cancellation.h"
#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/engine/constant_columns.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/scan_schema.h"

namespace viand::engine {
namespace {

/// The status of Arrow's reader as the user's error: the file, what reads it, and the kind.
arrow::Status Unreadable(const arrow::Status& status, const std::string& path,
                         const std::string& described_as, const std::string& hint) {
  return StorageError(status, path, described_as, hint);
}

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) CollectLeaves(child, leaves);
}

arrow::Status VisitSlices(const std::shared_ptr<arrow::RecordBatch>& batch, int64_t first_row,
                          int64_t batch_rows, const BatchVisitor& visit) {
  for (int64_t start = 0; start < batch->num_rows(); start += batch_rows) {
    VIAND_RETURN_NOT_OK(visit(first_row + start, batch->Slice(start, batch_rows)));
  }
  return arrow::Status::OK();
}

/// Positions of the named columns in a file's schema.
arrow::Result<std::vector<int>> Positions(const arrow::Schema& schema,
                                          const std::vector<std::string>& columns,
                                          const std::string& path,
                                          const std::string& described_as) {
  std::vector<int> result;
  for (const std::string& name : columns) {
    const int index = schema.GetFieldIndex(name);
    if (index < 0) return MissingColumn(name, schema, path, described_as);
    result.push_back(index);
  }
  return result;
}

class ParquetPart {
 public:
  ParquetPart(const FilePart& part, const std::vector<std::string>& columns,
              const std::string& described_as, const ReadOptions& options)
      : part_(part), columns_(columns), described_as_(described_as), options_(options) {}

  arrow::Result<int64_t> Read(const BatchVisitor& visit) {
    auto opened = Open();
    if (!opened.ok()) return Failed(opened);
    const auto metadata = reader_->parquet_reader()->metadata();
    int64_t next = 0;
    std::vector<int> run;  // of wanted groups that follow one another
    int64_t run_start = 0;
    for (int group : part_.groups) {
      const int64_t rows = metadata->RowGroup(group)->num_rows();
      if (!options_.wanted || options_.wanted(next, rows)) {
        if (run.empty()) run_start = next;
        run.push_back(group);
      } else if (!run.empty()) {
        VIAND_RETURN_NOT_OK(ReadRun(run, run_start, visit));
        run.clear();
      }
      next += rows;
    }
    if (!run.empty()) VIAND_RETURN_NOT_OK(ReadRun(run, run_start, visit));
    return next;
  }

 private:
  arrow::Status ReadRun(const std::vector<int>& groups, int64_t first_row,
                        const BatchVisitor& visit) {
    VIAND_ASSIGN_OR_RETURN(auto batches, OpenBatches(groups));
    while (true) {
      VIAND_RETURN_NOT_OK(CheckCancelled());
      auto batch = batches->Next();
      if (!batch.ok()) return Failed(batch.status());
      if (*batch == nullptr) return arrow::Status::OK();
      VIAND_ASSIGN_OR_RETURN(auto ordered, (*batch)->SelectColumns(order_));
      VIAND_RETURN_NOT_OK(VisitSlices(ordered, first_row, options_.batch_rows, visit));
      first_row += ordered->num_rows();
    }
  }

  arrow::Status Failed(const arrow::Status& status) const {
    return DetailOf(status) != nullptr
               ? status
               : Unreadable(status, part_.path, described_as_, "is it Parquet, and whole?");
  }

  arrow::Status Open() {
    VIAND_ASSIGN_OR_RETURN(const FooterPtr footer, ReadFooter(part_.path, described_as_));
    VIAND_RETURN_NOT_OK(CheckGroups(*footer));
    VIAND_ASSIGN_OR_RETURN(auto file, OpenDataFile(part_.path, described_as_));
    parquet::ArrowReaderProperties properties;
    properties.set_use_threads(options_.decode_in_parallel);
    properties.set_batch_size(options_.batch_rows);
    // A store is asked for all column chunks of the part at once: one by one their waits add up. A
    // file of this machine is read where it is decoded: another thread's help costs more than it
    // saves.
    properties.set_pre_buffer(IsRemotePath(part_.path));
    properties.set_cache_options(arrow::io::CacheOptions::Defaults());
    parquet::arrow::FileReaderBuilder builder;
    VIAND_RETURN_NOT_OK(
        builder.Open(std::move(file), parquet::default_reader_properties(), footer->metadata));
    const parquet::SchemaDescriptor& leaves = *builder.raw_reader()->metadata()->schema();
    for (size_t i = 0; i < options_.coded.size(); ++i) {
      const int leaf = options_.coded[i] ? leaves.ColumnIndex(columns_[i]) : -1;
      if (leaf >= 0) properties.set_read_dictionary(leaf, true);
    }
    VIAND_ASSIGN_OR_RETURN(reader_,
                           builder.memory_pool(options_.pool)->properties(properties)->Build());
    return arrow::Status::OK();
  }

  /// A file that was replaced since the plan was made may have fewer.
  arrow::Status CheckGroups(const ParquetFooter& footer) const {
    for (const int group : part_.groups) {
      if (group >= 0 && group < footer.metadata->num_row_groups()) continue;
      return MakeError(ErrorKind::kInput,
                       fmt::format("{}{}{} has changed while it was read", described_as_,
                                   described_as_.empty() ? "" : ": ", DisplayPath(part_.path)),
                       "run it again");
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<arrow::RecordBatchReader>> OpenBatches(
      const std::vector<int>& groups) {
    std::shared_ptr<arrow::Schema> schema;
    VIAND_RETURN_NOT_OK(reader_->GetSchema(&schema));
    VIAND_ASSIGN_OR_RETURN(auto positions, Positions(*schema, columns_, part_.path, described_as_));
    std::vector<int> leaves;
    for (int position : positions)
      CollectLeaves(reader_->manifest().schema_fields[position], &leaves);
    auto batches = reader_->GetRecordBatchReader(groups, leaves);
    if (!batches.ok()) return Failed(batches.status());
    // The reader gives columns in the file's order; the plan has its own.
    VIAND_ASSIGN_OR_RETURN(order_,
                           Positions(*(*batches)->schema(), columns_, part_.path, described_as_));
    return batches;
  }

  const FilePart& part_;
  const std::vector<std::string>& columns_;
  const std::string& described_as_;
  const ReadOptions& options_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<int> order_;
};

arrow::Result<int64_t> ReadIpcPart(const FilePart& part, const std::vector<std::string>& columns,
                                   const std::string& described_as, const ReadOptions& options,
                                   const BatchVisitor& visit) {
  VIAND_ASSIGN_OR_RETURN(auto reader, OpenIpcFile(part.path, described_as));
  VIAND_ASSIGN_OR_RETURN(auto positions,
                         Positions(*reader->schema(), columns, part.path, described_as));
  int64_t next = 0;
  for (int group : part.groups) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    auto batch = reader->ReadRecordBatch(group);
    if (!batch.ok())
      return Unreadable(batch.status(), part.path, described_as,
                        "is it an Arrow IPC file, and whole?");
    VIAND_ASSIGN_OR_RETURN(auto ordered, (*batch)->SelectColumns(positions));
    if (!options.wanted || options.wanted(next, ordered->num_rows()))
      VIAND_RETURN_NOT_OK(VisitSlices(ordered, next, options.batch_rows, visit));
    next += ordered->num_rows();
  }
  return next;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenDataFile(
    const std::string& path, const std::string& described_as) {
  VIAND_ASSIGN_OR_RETURN(const ListedFile known, KnownDataFile(path, described_as));
  VIAND_ASSIGN_OR_RETURN(const DataLocation location, LocateData(path));
  // With its size at hand a store need not be asked before the first read.
  arrow::fs::FileInfo info(location.path, arrow::fs::FileType::File);
  info.set_size(known.size_bytes);
  auto file = IsRemotePath(path) ? location.filesystem->OpenInputFile(info)
                                 : location.filesystem->OpenInputFile(location.path);
  if (!file.ok()) return Unreadable(file.status(), path, described_as, "");
  return file;
}

arrow::Result<std::shared_ptr<arrow::ipc::RecordBatchFileReader>> OpenIpcFile(
    const std::string& path, const std::string& described_as) {
  VIAND_ASSIGN_OR_RETURN(auto file, OpenDataFile(path, described_as));
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.memory_pool = ProcessPool();
  auto reader = arrow::ipc::RecordBatchFileReader::Open(file, options);
  if (!reader.ok())
    return Unreadable(reader.status(), path, described_as, "is it an Arrow IPC file, and whole?");
  return reader;
}

arrow::Result<int64_t> ReadFilePart(const FilePart& part, const std::vector<std::string>& columns,
                                    const std::string& described_as, const ReadOptions& options,
                                    const BatchVisitor& visit) {
  const ConstantColumns constants(columns, part.constants);
  ReadOptions of_read = options;
  of_read.coded = constants.OfRead(options.coded);
  const auto visit_all = [&](int64_t first_row, const auto& batch) -> arrow::Status {
    if (constants.empty()) return visit(first_row, batch);
    VIAND_ASSIGN_OR_RETURN(const auto complete, constants.Complete(batch, options.pool));
    return visit(first_row, complete);
  };
  if (part.format == FileFormat::kIpc)
    return ReadIpcPart(part, constants.read(), described_as, of_read, visit_all);
  return ParquetPart(part, constants.read(), described_as, of_read).Read(visit_all);
}

}  // namespace viand::engine
