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

#include <limits>
#include <vector>

#include "src/common/block_pool.h"
#include "src/common/parquet_output.h"

namespace viand::ingest {
namespace {

namespace compute = arrow::compute;

// The fastest level: ingest is on the user's clock. Not measured against the default yet.
constexpr int kZstdLevel = 1;
// Rows gathered before they are encoded: many small batches would cost a page bookkeeping each.
constexpr int64_t kGatherRows = 64 << 10;

class Sink : public ParquetSink {
 public:
  Sink(std::string path, std::shared_ptr<arrow::Schema> schema, int sort_column,
       std::string created_by)
      : path_(std::move(path)),
        schema_(std::move(schema)),
        sort_column_(sort_column),
        created_by_(std::move(created_by)) {}

  arrow::Status OpenOutput();
  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override;
  int64_t rows() const override { return rows_; }
  arrow::Result<int64_t> Commit() override;

 private:
  template <typename ArrayType>
  bool Continues(const arrow::Array& values);
  bool ContinuesOrder(const arrow::RecordBatch& batch);
  arrow::Status Flush();
  arrow::Status TakeBack();
  arrow::Status SortAndWrite();

  const std::string path_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int sort_column_;
  const std::string created_by_;

  std::unique_ptr<ParquetOutput> output_;  // null while all rows are in memory
  std::vector<std::shared_ptr<arrow::RecordBatch>>
      gathered_;  // not written; once out of order, all rows
  int64_t gathered_rows_ = 0;
  int64_t rows_ = 0;
  int64_t last_value_ = std::numeric_limits<int64_t>::min();  // of the sort column
  bool null_seen_ = false;                                    // there
  bool in_order_ = true;
};

arrow::Status Sink::OpenOutput() {
  ParquetOptions options;
  options.zstd_level = kZstdLevel;
  options.created_by = created_by_;
  options.sorted_by = sort_column_;
  options.micros = true;
  VIAND_ASSIGN_OR_RETURN(output_, ParquetOutput::Open(path_, schema_, options));
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
  return output_->Write(*batch);
}

/// Reads back what is in the file already, in front of what is gathered, and lets the file go.
arrow::Status Sink::TakeBack() {
  VIAND_RETURN_NOT_OK(output_->Close());
  VIAND_ASSIGN_OR_RETURN(auto file, arrow::io::ReadableFile::Open(output_->temporary_path()));
  VIAND_ASSIGN_OR_RETURN(auto reader, parquet::arrow::OpenFile(std::move(file), ProcessPool()));
  VIAND_ASSIGN_OR_RETURN(const auto batches, reader->GetRecordBatchReader());
  VIAND_ASSIGN_OR_RETURN(auto written, batches->ToRecordBatches());
  written.insert(written.end(), gathered_.begin(), gathered_.end());
  gathered_ = std::move(written);
  output_.reset();
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
  VIAND_RETURN_NOT_OK(OpenOutput());
  return output_->Write(*sorted.table());
}

arrow::Result<int64_t> Sink::Commit() {
  VIAND_RETURN_NOT_OK(in_order_ ? Flush() : SortAndWrite());
  return output_->Commit();
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
  auto sink = std::make_unique<Sink>(path, std::move(schema), sort_column, created_by);
  VIAND_RETURN_NOT_OK(sink->OpenOutput());
  return sink;
}

}  // namespace viand::ingest
