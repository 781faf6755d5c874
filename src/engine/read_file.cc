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

#include <algorithm>
#include <set>

#include "src/common/block_pool.h"
#include "src/common/cancellation.h"
#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/engine/constant_columns.h"
#include "src/engine/parquet_footer.h"
#include "src/engine/scan_schema.h"
#include "src/engine/sound_batch.h"

namespace viand::engine {
namespace {

/// Of a column chunk on this machine, at a time.
constexpr int64_t kReadBytes = 512 * 1024;

/// Of a batch, about: rows may be of any length, and batches of all threads are in memory at a
/// time. Of texts Arrow's reader has up to three times as much while it decodes them.
constexpr int64_t kBatchBytes = 16 << 20;
constexpr int64_t kBatchTextBytes = 4 << 20;
/// Row groups that are asked how long their rows are.
constexpr size_t kMeasuredGroups = 16;

/// The status of Arrow's reader as the user's error: the file, what reads it, and the kind.
arrow::Status Unreadable(const arrow::Status& status, const std::string& path,
                         const std::string& described_as, const std::string& hint) {
  return StorageError(status, path, described_as, hint);
}

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) CollectLeaves(child, leaves);
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

/// What the readers of all formats have in common: batches of at most so many rows.
class SlicingReader : public PartReader {
 public:
  explicit SlicingReader(int64_t batch_rows) : batch_rows_(batch_rows) {}

  arrow::Result<PlacedBatch> Next() override {
    if (whole_.batch == nullptr || taken_ == whole_.batch->num_rows()) {
      VIAND_RETURN_NOT_OK(CheckCancelled());
      VIAND_ASSIGN_OR_RETURN(whole_, NextWhole());
      taken_ = 0;
      if (whole_.batch == nullptr) return whole_;
    }
    PlacedBatch slice{whole_.first_row + taken_, whole_.batch};
    if (taken_ > 0 || whole_.batch->num_rows() > batch_rows_)
      slice.batch = whole_.batch->Slice(taken_, batch_rows_);
    taken_ += slice.batch->num_rows();
    return slice;
  }

 protected:
  /// The next batch of any number of rows but none.
  virtual arrow::Result<PlacedBatch> NextWhole() = 0;

 private:
  const int64_t batch_rows_;
  PlacedBatch whole_;
  int64_t taken_ = 0;
};

class ParquetReader final : public SlicingReader {
 public:
  ParquetReader(FilePart part, std::vector<std::string> columns, std::string described_as,
                ReadOptions options)
      : SlicingReader(options.batch_rows),
        part_(std::move(part)),
        columns_(std::move(columns)),
        described_as_(std::move(described_as)),
        options_(std::move(options)) {}

  arrow::Status Open() {
    auto opened = OpenReader();
    if (!opened.ok()) return Failed(opened);
    FindRuns();
    return arrow::Status::OK();
  }

  int64_t rows() const override { return rows_; }

 protected:
  arrow::Result<PlacedBatch> NextWhole() override {
    while (true) {
      if (batches_ == nullptr) {
        if (next_run_ == runs_.size()) return PlacedBatch{};
        next_row_ = runs_[next_run_].first_row;
        VIAND_ASSIGN_OR_RETURN(batches_, OpenBatches(runs_[next_run_++].groups));
      }
      auto batch = batches_->Next();
      if (!batch.ok()) return Failed(batch.status());
      if (*batch == nullptr) {
        batches_.reset();
        continue;
      }
      if ((*batch)->num_rows() == 0) continue;
      PlacedBatch placed{next_row_, nullptr};
      VIAND_ASSIGN_OR_RETURN(placed.batch, (*batch)->SelectColumns(order_));
      next_row_ += placed.batch->num_rows();
      return placed;
    }
  }

 private:
  /// Wanted groups that follow one another.
  struct Run {
    std::vector<int> groups;
    int64_t first_row = 0;
  };

  void FindRuns() {
    const auto metadata = reader_->parquet_reader()->metadata();
    bool follows = false;
    for (int group : part_.groups) {
      const int64_t rows = metadata->RowGroup(group)->num_rows();
      const bool wanted = !options_.wanted || options_.wanted(rows_, rows);
      if (wanted && !follows) runs_.push_back({{}, rows_});
      if (wanted) runs_.back().groups.push_back(group);
      follows = wanted;
      rows_ += rows;
    }
  }

  arrow::Status Failed(const arrow::Status& status) const {
    return DetailOf(status) != nullptr
               ? status
               : Unreadable(status, part_.path, described_as_, "is it Parquet, and whole?");
  }

  arrow::Status OpenReader() {
    VIAND_ASSIGN_OR_RETURN(const FooterPtr footer, ReadFooter(part_.path, described_as_));
    VIAND_RETURN_NOT_OK(CheckGroups(*footer));
    VIAND_ASSIGN_OR_RETURN(auto file, OpenDataFile(part_.path, described_as_));
    parquet::ArrowReaderProperties properties;
    properties.set_use_threads(options_.decode_in_parallel);
    properties.set_batch_size(BatchRows(*footer->metadata));
    // A store is asked for all column chunks of the part at once: one by one their waits add up. A
    // file of this machine is read where it is decoded: another thread's help costs more than it
    // saves.
    properties.set_pre_buffer(IsRemotePath(part_.path));
    properties.set_cache_options(arrow::io::CacheOptions::Defaults());
    parquet::ReaderProperties bytes(options_.pool);
    if (!IsRemotePath(part_.path)) {
      // Else a column chunk is held whole, which of a large row group is much.
      bytes.enable_buffered_stream();
      bytes.set_buffer_size(kReadBytes);
    }
    parquet::arrow::FileReaderBuilder builder;
    VIAND_RETURN_NOT_OK(builder.Open(std::move(file), bytes, footer->metadata));
    const parquet::SchemaDescriptor& leaves = *builder.raw_reader()->metadata()->schema();
    for (size_t i = 0; i < options_.coded.size(); ++i) {
      const int leaf = options_.coded[i] ? leaves.ColumnIndex(columns_[i]) : -1;
      if (leaf >= 0) properties.set_read_dictionary(leaf, true);
    }
    VIAND_ASSIGN_OR_RETURN(reader_,
                           builder.memory_pool(options_.pool)->properties(properties)->Build());
    return arrow::Status::OK();
  }

  /// As many rows as were asked for, or fewer where they are long.
  int64_t BatchRows(const parquet::FileMetaData& metadata) const {
    std::set<std::string> columns;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i >= options_.coded.size() || !options_.coded[i]) columns.insert(columns_[i]);
    }
    int64_t text_bytes = 1;
    for (size_t i = 0; i < part_.groups.size(); i += part_.groups.size() / kMeasuredGroups + 1) {
      const auto group = metadata.RowGroup(part_.groups[i]);
      text_bytes = std::max(text_bytes,
                            TextBytes(*group, columns) / std::max<int64_t>(1, group->num_rows()));
    }
    const auto numbers = static_cast<int64_t>(columns_.size() * sizeof(int64_t)) + 1;
    const int64_t fit = std::min(kBatchTextBytes / text_bytes, kBatchBytes / numbers);
    return std::clamp<int64_t>(fit, 1, options_.batch_rows);
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

  const FilePart part_;
  const std::vector<std::string> columns_;
  const std::string described_as_;
  const ReadOptions options_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<int> order_;
  int64_t rows_ = 0;
  std::vector<Run> runs_;
  size_t next_run_ = 0;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // of the run before next_run_
  int64_t next_row_ = 0;
};

class IpcReader final : public SlicingReader {
 public:
  IpcReader(FilePart part, std::string described_as, ReadOptions options)
      : SlicingReader(options.batch_rows),
        part_(std::move(part)),
        described_as_(std::move(described_as)),
        options_(std::move(options)) {}

  arrow::Status Open(const std::vector<std::string>& columns) {
    VIAND_ASSIGN_OR_RETURN(reader_, OpenIpcFile(part_.path, described_as_));
    return Positions(*reader_->schema(), columns, part_.path, described_as_).Value(&positions_);
  }

  int64_t rows() const override { return rows_; }

 protected:
  arrow::Result<PlacedBatch> NextWhole() override {
    while (next_group_ < part_.groups.size()) {
      auto batch = Read(part_.groups[next_group_++]);
      if (!batch.ok())
        return Unreadable(batch.status(), part_.path, described_as_,
                          "is it an Arrow IPC file, and whole?");
      PlacedBatch placed{rows_, *std::move(batch)};
      const int64_t rows = placed.batch->num_rows();
      rows_ += rows;
      if (rows > 0 && (!options_.wanted || options_.wanted(placed.first_row, rows))) return placed;
    }
    return PlacedBatch{};
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(int group) {
    VIAND_ASSIGN_OR_RETURN(auto batch, reader_->ReadRecordBatch(group));
    VIAND_ASSIGN_OR_RETURN(batch, batch->SelectColumns(positions_));
    VIAND_RETURN_NOT_OK(CheckSound(*batch));
    return batch;
  }

  const FilePart part_;
  const std::string described_as_;
  const ReadOptions options_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::vector<int> positions_;
  size_t next_group_ = 0;
  int64_t rows_ = 0;
};

/// Adds the columns that have one value in all rows of the file.
class CompletingReader final : public PartReader {
 public:
  CompletingReader(std::unique_ptr<PartReader> reader, ConstantColumns constants,
                   arrow::MemoryPool* pool)
      : reader_(std::move(reader)), constants_(std::move(constants)), pool_(pool) {}

  arrow::Result<PlacedBatch> Next() override {
    VIAND_ASSIGN_OR_RETURN(PlacedBatch placed, reader_->Next());
    if (placed.batch == nullptr) return placed;
    VIAND_ASSIGN_OR_RETURN(placed.batch, constants_.Complete(placed.batch, pool_));
    return placed;
  }
  int64_t rows() const override { return reader_->rows(); }

 private:
  const std::unique_ptr<PartReader> reader_;
  const ConstantColumns constants_;
  arrow::MemoryPool* const pool_;
};

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

arrow::Result<std::unique_ptr<PartReader>> OpenFilePart(const FilePart& part,
                                                        const std::vector<std::string>& columns,
                                                        const std::string& described_as,
                                                        const ReadOptions& options) {
  ConstantColumns constants(columns, part.constants);
  ReadOptions of_read = options;
  of_read.coded = constants.OfRead(options.coded);
  std::unique_ptr<PartReader> reader;
  if (part.format == FileFormat::kIpc) {
    auto ipc = std::make_unique<IpcReader>(part, described_as, of_read);
    VIAND_RETURN_NOT_OK(ipc->Open(constants.read()));
    reader = std::move(ipc);
  } else {
    auto parquet = std::make_unique<ParquetReader>(part, constants.read(), described_as, of_read);
    VIAND_RETURN_NOT_OK(parquet->Open());
    reader = std::move(parquet);
  }
  if (constants.empty()) return reader;
  return std::make_unique<CompletingReader>(std::move(reader), std::move(constants), options.pool);
}

arrow::Result<int64_t> ReadFilePart(const FilePart& part, const std::vector<std::string>& columns,
                                    const std::string& described_as, const ReadOptions& options,
                                    const BatchVisitor& visit) {
  VIAND_ASSIGN_OR_RETURN(const auto reader, OpenFilePart(part, columns, described_as, options));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const PlacedBatch placed, reader->Next());
    if (placed.batch == nullptr) return reader->rows();
    VIAND_RETURN_NOT_OK(visit(placed.first_row, placed.batch));
  }
}

}  // namespace viand::engine
