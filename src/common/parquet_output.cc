#include "src/common/parquet_output.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "src/common/block_pool.h"
#include "src/common/cancellation.h"
#include "src/common/flat_parquet.h"

namespace viand {
namespace {

std::shared_ptr<parquet::WriterProperties> FileProperties(const ParquetOptions& options,
                                                          const arrow::Schema& schema) {
  parquet::WriterProperties::Builder properties;
  properties.memory_pool(ProcessPool());
  properties.max_row_group_length(RowGroups::kMostRows);
  if (options.encoding == ParquetEncoding::kCompact) {
    properties.compression(parquet::Compression::ZSTD);
  } else {
    properties.compression(parquet::Compression::SNAPPY);
    for (const auto& field : schema.fields()) {
      if (arrow::is_primitive(field->type()->id())) properties.disable_dictionary(field->name());
    }
  }
  if (options.zstd_level) properties.compression_level(*options.zstd_level);
  if (!options.created_by.empty()) properties.created_by(options.created_by);
  if (options.sorted_by >= 0) {
    properties.set_sorting_columns(
        {parquet::SortingColumn{options.sorted_by, /*descending=*/false, /*nulls_first=*/false}});
  }
  return properties.build();
}

std::shared_ptr<parquet::ArrowWriterProperties> ArrowProperties(const ParquetOptions& options) {
  parquet::ArrowWriterProperties::Builder properties;
  // Without Arrow's own schema in it a reader would lose the zone of a timestamp.
  properties.store_schema();
  properties.set_use_threads(true);
  if (options.micros) properties.coerce_timestamps(arrow::TimeUnit::MICRO);
  return properties.build();
}

arrow::Result<std::unique_ptr<RowGroupOutput>> OpenWriter(
    const std::shared_ptr<AtomicOutput>& output, const std::shared_ptr<arrow::Schema>& schema,
    const ParquetOptions& options) {
  const auto file = FileProperties(options, *schema);
  const auto arrow = ArrowProperties(options);
  if (options.encoding == ParquetEncoding::kQuick && FlatParquet::Takes(*schema))
    return FlatParquet::Open(schema, output, file, arrow);
  VIAND_ASSIGN_OR_RETURN(
      auto writer, parquet::arrow::FileWriter::Open(*schema, ProcessPool(), output, file, arrow));
  return std::make_unique<ArrowRowGroups>(std::move(writer));
}

}  // namespace

arrow::Result<std::unique_ptr<ParquetOutput>> ParquetOutput::Open(
    const std::string& path, const std::shared_ptr<arrow::Schema>& schema,
    const ParquetOptions& options) {
  VIAND_ASSIGN_OR_RETURN(auto output, AtomicOutput::Open(path));
  auto writer = OpenWriter(output, schema, options);
  VIAND_RETURN_NOT_OK(output->Check(writer.status()));
  return std::unique_ptr<ParquetOutput>(
      new ParquetOutput(std::move(output), std::move(writer).ValueUnsafe()));
}

ParquetOutput::ParquetOutput(std::shared_ptr<AtomicOutput> output,
                             std::unique_ptr<RowGroupOutput> writer)
    : output_(std::move(output)), writer_(std::move(writer)) {}

ParquetOutput::~ParquetOutput() = default;

arrow::Status ParquetOutput::Write(const arrow::RecordBatch& batch) {
  return output_->Check(groups_.Write(batch, writer_.get()));
}

arrow::Status ParquetOutput::Write(const arrow::Table& table) {
  if (table.num_rows() <= RowGroups::kMostRows && BytesOfRows(table) <= RowGroups::kMostBytes) {
    VIAND_RETURN_NOT_OK(output_->Check(groups_.Finish(writer_.get())));
    return output_->Check(writer_->WriteGroup(table));
  }
  // Batch by batch, since the columns of a batch are encoded by several threads.
  arrow::TableBatchReader batches(table);
  batches.set_chunksize(RowGroups::kMostRows);
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    VIAND_RETURN_NOT_OK(batches.ReadNext(&batch));
    if (batch == nullptr) return arrow::Status::OK();
    VIAND_RETURN_NOT_OK(Write(*batch));
  }
}

arrow::Status ParquetOutput::Close() {
  VIAND_RETURN_NOT_OK(output_->Check(groups_.Finish(writer_.get())));
  VIAND_RETURN_NOT_OK(output_->Check(writer_->Close()));
  writer_.reset();
  return output_->Close();
}

arrow::Status ParquetOutput::Sync() {
  if (writer_ != nullptr) VIAND_RETURN_NOT_OK(Close());
  return output_->Sync();
}

arrow::Result<int64_t> ParquetOutput::Commit() {
  if (writer_ != nullptr) VIAND_RETURN_NOT_OK(Close());
  return output_->Commit();
}

arrow::Status WriteParquet(const std::shared_ptr<arrow::Table>& table, const std::string& path,
                           const ParquetOptions& options) {
  VIAND_ASSIGN_OR_RETURN(auto output, ParquetOutput::Open(path, table->schema(), options));
  VIAND_RETURN_NOT_OK(output->Write(*table));
  return output->Commit().status();
}

}  // namespace viand
