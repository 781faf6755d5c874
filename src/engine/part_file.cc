#include "src/engine/part_file.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>

#include "src/common/atomic_output.h"
#include "src/common/block_pool.h"
#include "src/common/parquet_output.h"
#include "src/engine/read_file.h"

namespace viand::engine {
namespace {

constexpr char kReadBy[] = "a part of the result";

class ParquetPart final : public PartOutput {
 public:
  explicit ParquetPart(std::unique_ptr<ParquetOutput> output) : output_(std::move(output)) {}

  arrow::Status Write(const arrow::Table& rows) override {
    // As batches: row groups are then filled over the borders of what was put together at a time.
    arrow::TableBatchReader batches(rows);
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      VIAND_RETURN_NOT_OK(batches.ReadNext(&batch));
      if (batch == nullptr) return arrow::Status::OK();
      VIAND_RETURN_NOT_OK(output_->Write(*batch));
    }
  }
  arrow::Result<int64_t> Commit() override { return output_->Commit(); }

 private:
  const std::unique_ptr<ParquetOutput> output_;
};

class IpcStreamPart final : public PartOutput {
 public:
  IpcStreamPart(std::shared_ptr<AtomicOutput> output,
                std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : output_(std::move(output)), writer_(std::move(writer)) {}

  arrow::Status Write(const arrow::Table& rows) override {
    return output_->Check(writer_->WriteTable(rows));
  }
  arrow::Result<int64_t> Commit() override {
    VIAND_RETURN_NOT_OK(output_->Check(writer_->Close()));
    return output_->Commit();
  }

 private:
  const std::shared_ptr<AtomicOutput> output_;
  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

arrow::Result<std::unique_ptr<PartOutput>> PartOutput::Open(
    const std::string& path, PartFormat format, const std::shared_ptr<arrow::Schema>& schema) {
  if (format == PartFormat::kParquet) {
    VIAND_ASSIGN_OR_RETURN(
        auto output, ParquetOutput::Open(path, schema, {.encoding = ParquetEncoding::kQuick}));
    return std::make_unique<ParquetPart>(std::move(output));
  }
  VIAND_ASSIGN_OR_RETURN(auto output, AtomicOutput::Open(path));
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.memory_pool = ProcessPool();
  options.use_threads = false;
  VIAND_ASSIGN_OR_RETURN(options.codec, arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
  auto writer = arrow::ipc::MakeStreamWriter(output, schema, options);
  VIAND_RETURN_NOT_OK(output->Check(writer.status()));
  return std::make_unique<IpcStreamPart>(std::move(output), *std::move(writer));
}

std::shared_ptr<arrow::Schema> PartFilesSchema() {
  return arrow::schema({arrow::field("path", arrow::utf8(), false),
                        arrow::field("rows", arrow::int64(), false),
                        arrow::field("bytes", arrow::int64(), false)});
}

arrow::Result<std::shared_ptr<arrow::Table>> ToTable(const std::vector<PartFile>& files) {
  arrow::StringBuilder paths;
  arrow::Int64Builder rows, bytes;
  for (const PartFile& file : files) {
    VIAND_RETURN_NOT_OK(paths.Append(file.path));
    VIAND_RETURN_NOT_OK(rows.Append(file.rows));
    VIAND_RETURN_NOT_OK(bytes.Append(file.bytes));
  }
  arrow::ArrayVector columns(3);
  VIAND_RETURN_NOT_OK(paths.Finish(&columns[0]));
  VIAND_RETURN_NOT_OK(rows.Finish(&columns[1]));
  VIAND_RETURN_NOT_OK(bytes.Finish(&columns[2]));
  return arrow::Table::Make(PartFilesSchema(), columns);
}

arrow::Result<std::vector<PartFile>> FilesOf(const arrow::Table& table, size_t count) {
  if (!table.schema()->Equals(*PartFilesSchema(), false) ||
      table.num_rows() != static_cast<int64_t>(count))
    return MakeError(ErrorKind::kInput, "an executor made up a file");
  VIAND_ASSIGN_OR_RETURN(const auto batch, table.CombineChunksToBatch());
  const auto number = [&](int column, int64_t row) {
    return static_cast<const arrow::Int64Array&>(*batch->column(column)).Value(row);
  };
  std::vector<PartFile> files;
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    files.push_back({static_cast<const arrow::StringArray&>(*batch->column(0)).GetString(row),
                     number(1, row), number(2, row)});
  }
  return files;
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenIpcStreamPart(
    const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(auto file, OpenDataFile(path, kReadBy));
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = ProcessPool();
  options.use_threads = false;
  VIAND_ASSIGN_OR_RETURN(auto reader, arrow::ipc::RecordBatchStreamReader::Open(file, options));
  return reader;
}

}  // namespace viand::engine
