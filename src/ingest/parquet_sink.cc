#include "src/ingest/parquet_sink.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <filesystem>
#include <limits>
#include <vector>

#include "src/common/atomic_file.h"

namespace viand::ingest {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kRowGroupRows = 1 << 20;
// The fastest level: ingest is on the user's clock. Not measured against the default yet.
constexpr int kZstdLevel = 1;
// Rows gathered before they are encoded: many small batches would cost a page bookkeeping each.
constexpr int64_t kGatherRows = 64 << 10;

arrow::Status CannotWrite(const std::string& path, const arrow::Status& status) {
  if (status.ok() || DetailOf(status) != nullptr) return status;
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("cannot write {}: {}", path, status.message()));
}

class Sink : public ParquetSink {
 public:
  Sink(std::string path, AtomicFile file, std::shared_ptr<arrow::Schema> schema, int sort_column,
       std::string created_by)
      : path_(std::move(path)),
        file_(std::move(file)),
        schema_(std::move(schema)),
        sort_column_(sort_column),
        created_by_(std::move(created_by)) {}

  arrow::Status OpenWriter();
  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override;
  int64_t rows() const override { return rows_; }
  arrow::Result<int64_t> Commit() override;

 private:
  template <typename ArrayType>
  bool Continues(const arrow::Array& values);
  bool ContinuesOrder(const arrow::RecordBatch& batch);
  arrow::Status Flush();
  arrow::Status CloseWriter();
  arrow::Status TakeBack();
  arrow::Status SortAndWrite();

  const std::string path_;
  AtomicFile file_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int sort_column_;
  const std::string created_by_;

  std::shared_ptr<arrow::io::FileOutputStream> output_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::vector<std::shared_ptr<arrow::RecordBatch>>
      gathered_;  // not written; once out of order, all rows
  int64_t gathered_rows_ = 0;
  int64_t rows_ = 0;
  int64_t last_value_ = std::numeric_limits<int64_t>::min();  // of the sort column
  bool null_seen_ = false;                                    // there
  bool in_order_ = true;
};

arrow::Status Sink::OpenWriter() {
  parquet::WriterProperties::Builder properties;
  properties.compression(parquet::Compression::ZSTD)
      ->compression_level(kZstdLevel)
      ->max_row_group_length(kRowGroupRows)
      ->created_by(created_by_);
  if (sort_column_ >= 0) {
    properties.set_sorting_columns(
        {parquet::SortingColumn{sort_column_, /*descending=*/false, /*nulls_first=*/false}});
  }
  parquet::ArrowWriterProperties::Builder arrow_properties;
  arrow_properties.store_schema()->coerce_timestamps(arrow::TimeUnit::MICRO);
  VIAND_ASSIGN_OR_RETURN(output_, arrow::io::FileOutputStream::Open(file_.temporary_path()));
  VIAND_ASSIGN_OR_RETURN(
      writer_, parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), output_,
                                                properties.build(), arrow_properties.build()));
  return arrow::Status::OK();
}

arrow::Status Sink::CloseWriter() {
  VIAND_RETURN_NOT_OK(CannotWrite(path_, writer_->Close()));
  VIAND_RETURN_NOT_OK(CannotWrite(path_, output_->Close()));
  writer_.reset();
  return arrow::Status::OK();
}

/// Advances the order by a batch: ascending, nulls at the end.
template <typename ArrayType>
bool Sink::Continues(const arrow::Array& values) {
  const auto& typed = static_cast<const ArrayType&>(values);
  for (int64_t i = 0; i < typed.length(); ++i) {
    if (typed.IsNull(i)) {
      null_seen_ = true;
      continue;
    }
    const int64_t value = typed.Value(i);
    if (null_seen_ || value < last_value_) return false;
    last_value_ = value;
  }
  return true;
}

bool Sink::ContinuesOrder(const arrow::RecordBatch& batch) {
  if (sort_column_ < 0) return true;
  const arrow::Array& values = *batch.column(sort_column_);
  if (values.type_id() == arrow::Type::DATE32) return Continues<arrow::Date32Array>(values);
  return Continues<arrow::TimestampArray>(values);
}

arrow::Status Sink::Write(const std::shared_ptr<arrow::RecordBatch>& batch) {
  rows_ += batch->num_rows();
  if (in_order_ && !ContinuesOrder(*batch)) {
    in_order_ = false;
    VIAND_RETURN_NOT_OK(TakeBack());
  }
  gathered_.push_back(batch);
  gathered_rows_ += batch->num_rows();
  if (!in_order_ || gathered_rows_ < kGatherRows) return arrow::Status::OK();
  return Flush();
}

/// Encodes what was gathered.
arrow::Status Sink::Flush() {
  if (gathered_.empty()) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches(schema_, gathered_));
  VIAND_ASSIGN_OR_RETURN(const auto batch, table->CombineChunksToBatch());
  gathered_.clear();
  gathered_rows_ = 0;
  return CannotWrite(path_, writer_->WriteRecordBatch(*batch));
}

/// Reads back what is in the file already, in front of what is gathered.
arrow::Status Sink::TakeBack() {
  VIAND_RETURN_NOT_OK(CloseWriter());
  VIAND_ASSIGN_OR_RETURN(auto file, arrow::io::ReadableFile::Open(file_.temporary_path()));
  VIAND_ASSIGN_OR_RETURN(auto reader,
                         parquet::arrow::OpenFile(std::move(file), arrow::default_memory_pool()));
  VIAND_ASSIGN_OR_RETURN(const auto batches, reader->GetRecordBatchReader());
  VIAND_ASSIGN_OR_RETURN(auto written, batches->ToRecordBatches());
  written.insert(written.end(), gathered_.begin(), gathered_.end());
  gathered_ = std::move(written);
  return arrow::Status::OK();
}

/// Sorts all rows, those of equal time in order of arrival, and writes them anew.
arrow::Status Sink::SortAndWrite() {
  VIAND_ASSIGN_OR_RETURN(auto table, arrow::Table::FromRecordBatches(schema_, gathered_));
  gathered_.clear();
  const compute::ArraySortOptions ascending(compute::SortOrder::Ascending,
                                            compute::NullPlacement::AtEnd);
  VIAND_ASSIGN_OR_RETURN(const auto order,
                         compute::SortIndices(*table->column(sort_column_), ascending));
  VIAND_ASSIGN_OR_RETURN(const arrow::Datum sorted,
                         compute::Take(table, order, compute::TakeOptions::NoBoundsCheck()));
  table.reset();
  VIAND_RETURN_NOT_OK(CannotWrite(path_, OpenWriter()));
  return CannotWrite(path_, writer_->WriteTable(*sorted.table(), kRowGroupRows));
}

arrow::Result<int64_t> Sink::Commit() {
  VIAND_RETURN_NOT_OK(in_order_ ? Flush() : SortAndWrite());
  VIAND_RETURN_NOT_OK(CloseWriter());
  std::error_code error;
  const auto size = std::filesystem::file_size(file_.temporary_path(), error);
  VIAND_RETURN_NOT_OK(file_.Commit());
  return static_cast<int64_t>(size);
}

}  // namespace

arrow::Result<std::unique_ptr<ParquetSink>> ParquetSink::Open(const std::string& path,
                                                              std::shared_ptr<arrow::Schema> schema,
                                                              const std::string& sort_by,
                                                              const std::string& created_by) {
  int sort_column = -1;
  if (!sort_by.empty()) {
    sort_column = schema->GetFieldIndex(sort_by);
    if (sort_column < 0) {
      const std::string nearest = DidYouMean(sort_by, schema->field_names());
      return MakeError(ErrorKind::kDefinition,
                       fmt::format("the rows are to be sorted by \"{}\", which is no column of the "
                                   "output; it has \"{}\"",
                                   sort_by, fmt::join(schema->field_names(), "\", \"")),
                       nearest);
    }
    const auto& type = schema->field(sort_column)->type();
    if (type->id() != arrow::Type::TIMESTAMP && type->id() != arrow::Type::DATE32) {
      return MakeError(
          ErrorKind::kDefinition,
          fmt::format(
              "the rows are to be sorted by \"{}\", which is {}; expected a timestamp or a date",
              sort_by, type->ToString()));
    }
  }
  VIAND_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  auto sink =
      std::make_unique<Sink>(path, std::move(file), std::move(schema), sort_column, created_by);
  VIAND_RETURN_NOT_OK(CannotWrite(path, sink->OpenWriter()));
  return sink;
}

}  // namespace viand::ingest
