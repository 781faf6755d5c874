#include "src/store/table_file.h"

#include <arrow/array/array_dict.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "src/common/atomic_output.h"
#include "src/common/block_pool.h"
#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/common/ordered_pipeline.h"
#include "src/common/parquet_output.h"
#include "src/store/csv_rows.h"
#include "src/store/ipc_batches.h"

namespace viand::store {
namespace {

enum class TableFormat { kParquet, kCsv, kIpc };

arrow::Result<TableFormat> FormatOf(const std::string& path) {
  const std::string extension = std::filesystem::path(ParseAddress(path).path).extension().string();
  if (extension == ".csv") return TableFormat::kCsv;
  if (extension == ".parquet") return TableFormat::kParquet;
  if (extension == ".arrow" || extension == ".feather" || extension == ".ipc") {
    return TableFormat::kIpc;
  }
  return MakeError(ErrorKind::kUsage, fmt::format("cannot tell a format from the name {}", path),
                   "end it in .parquet, .csv or .arrow, or write - for standard output");
}

arrow::Status WriteBatches(arrow::RecordBatchReader* rows, arrow::ipc::RecordBatchWriter* writer,
                           int64_t* count) {
  IpcBatches batches(writer);
  ARROW_RETURN_NOT_OK(
      ForEachBatch(rows, count, [&](const auto& batch) { return batches.Write(*batch); }));
  return batches.Finish();
}

/// A dictionary that another follows cannot stand in an IPC file: there all rows share one.
arrow::Status WriteIpcWithDictionaries(arrow::RecordBatchReader* rows,
                                       arrow::io::OutputStream* sink, int64_t* count) {
  ARROW_ASSIGN_OR_RAISE(auto table, rows->ToTable());
  ARROW_ASSIGN_OR_RAISE(table, arrow::DictionaryUnifier::UnifyTable(*table, ProcessPool()));
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, table->schema()));
  arrow::TableBatchReader batches(*table);
  ARROW_RETURN_NOT_OK(WriteBatches(&batches, writer.get(), count));
  return writer->Close();
}

arrow::Status WriteIpc(arrow::RecordBatchReader* rows, arrow::io::OutputStream* sink,
                       int64_t* count) {
  if (HasDictionaries(*rows->schema())) return WriteIpcWithDictionaries(rows, sink, count);
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, rows->schema()));
  ARROW_RETURN_NOT_OK(WriteBatches(rows, writer.get(), count));
  return writer->Close();
}

arrow::Status WriteParquet(arrow::RecordBatchReader* rows, const std::string& path,
                           int64_t* count) {
  ARROW_ASSIGN_OR_RAISE(auto output, ParquetOutput::Open(path, rows->schema(),
                                                         {.encoding = ParquetEncoding::kQuick}));
  // The next rows are put together while these are encoded.
  using Batch = std::shared_ptr<arrow::RecordBatch>;
  const auto next = [rows]() -> arrow::Result<std::optional<Batch>> {
    Batch batch;
    ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
    return batch == nullptr ? std::nullopt : std::optional(std::move(batch));
  };
  ARROW_RETURN_NOT_OK((RunOrdered<Batch, Batch>(
      {.workers = 1, .max_in_flight = 2}, next, [](Batch batch) { return batch; },
      [&](const Batch& batch) {
        *count += batch->num_rows();
        return output->Write(*batch);
      })));
  return output->Commit().status();
}

template <typename Write>
arrow::Status WriteAtomically(const std::string& path, Write write) {
  ARROW_ASSIGN_OR_RAISE(auto output, AtomicOutput::Open(path));
  ARROW_RETURN_NOT_OK(output->Check(write(output.get())));
  return output->Commit().status();
}

}  // namespace

arrow::Status CheckTableFile(const std::string& path) {
  if (path == "-") return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(FormatOf(path).status());
  if (IsRemotePath(path)) return CheckBucket(path, "cannot write");
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return arrow::Status::OK();
  return MakeError(ErrorKind::kUsage, fmt::format("cannot write {}: it is a folder", path),
                   "name a file in it");
}

arrow::Status CheckParquetFile(const std::string& path, const std::string& what) {
  if (std::filesystem::path(ParseAddress(path).path).extension() == ".parquet")
    return CheckTableFile(path);
  return MakeError(ErrorKind::kUsage,
                   fmt::format("cannot write {} to {}: they are Parquet", what, path),
                   "end the name in .parquet");
}

arrow::Result<int64_t> WriteTableFile(arrow::RecordBatchReader* rows, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const TableFormat format, FormatOf(path));
  int64_t count = 0;
  if (format == TableFormat::kParquet) {
    ARROW_RETURN_NOT_OK(WriteParquet(rows, path, &count));
  } else {
    ARROW_RETURN_NOT_OK(WriteAtomically(path, [&](auto* sink) {
      return format == TableFormat::kCsv ? WriteCsv(rows, sink, &count)
                                         : WriteIpc(rows, sink, &count);
    }));
  }
  return count;
}

}  // namespace viand::store
