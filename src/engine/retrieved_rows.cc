#include "src/engine/retrieved_rows.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include <algorithm>

#include "src/common/cancellation.h"
#include "src/engine/open_scan.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
arrow::FieldVector FieldsOf(const FoundFeatures& found) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < found.names.size(); ++i)
    fields.push_back(arrow::field(found.names[i], found.types[i]));
  return fields;
}

std::shared_ptr<arrow::Schema> ResultSchema(const Spine& spine,
                                            const std::vector<FoundFeatures>& found) {
  arrow::FieldVector fields = spine.schema().fields();
  for (const FoundFeatures& lookup : found) {
    for (auto& field : FieldsOf(lookup)) fields.push_back(std::move(field));
  }
  return arrow::schema(std::move(fields), spine.schema().metadata());
}

RetrievedRows::RetrievedRows(std::unique_ptr<const Spine> spine, std::vector<FoundFeatures> found,
                             const RetrievedChunks& chunks, const ExecuteOptions& options)
    : spine_(std::move(spine)),
      found_(std::move(found)),
      chunks_(chunks),
      options_(options),
      schema_(ResultSchema(*spine_, found_)),
      reader_(*spine_, options),
      pieces_(found_.size()),
      rows_left_(found_.size()) {}

/// Whoever reads may stop early, or fail to write what was read.
RetrievedRows::~RetrievedRows() { EndProgress(); }

void RetrievedRows::EndProgress() {
  if (in_progress_) options_.progress->End();
  in_progress_ = false;
}

arrow::Status RetrievedRows::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  while (true) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    if (batches_ != nullptr) {
      VIAND_RETURN_NOT_OK(batches_->ReadNext(batch));
      if (*batch != nullptr) return arrow::Status::OK();
      batches_.reset();
      rows_.reset();
    }
    if (next_row_ == spine_->rows) {
      *batch = nullptr;
      EndProgress();
      pieces_.clear();  // while whoever asks still writes, not when that is done
      return CheckUnchanged(spine_->scan);
    }
    if (next_row_ == chunk_end_) VIAND_RETURN_NOT_OK(NextChunk());
    VIAND_RETURN_NOT_OK(Assemble());
    batches_ = std::make_unique<arrow::TableBatchReader>(*rows_);
  }
}

arrow::Status RetrievedRows::NextChunk() {
  if (next_chunk_ == 0) {
    options_.progress->Begin("put together", spine_->rows, "rows");
    in_progress_ = true;
  }
  const int chunk = next_chunk_++;
  const bool last = next_chunk_ == chunks_.dealt.count;
  chunk_end_ = last ? spine_->rows : chunk_end_ + chunks_.dealt.rows_each;
  for (size_t i = 0; i < found_.size(); ++i) {
    const StageTimer timer(found_[i].counters);
    pieces_[i].clear();
    for (TableReference& piece : found_[i].chunks[chunk]) {
      VIAND_ASSIGN_OR_RETURN(pieces_[i].emplace_back(), options_.executor->Fetch(piece));
      piece.reset();
    }
    rows_left_[i] = RowsOf(pieces_[i]);
  }
  rows_at_a_time_ = RowsOfLength(pieces_, chunk_end_ - next_row_, chunks_.rows_at_a_time);
  return arrow::Status::OK();
}

arrow::Status RetrievedRows::Assemble() {
  const int64_t rows = std::min(rows_at_a_time_, chunk_end_ - next_row_);
  VIAND_ASSIGN_OR_RETURN(rows_, reader_.Read(rows));
  if (rows_->num_rows() != rows) {
    return MakeError(ErrorKind::kInput, spine_->described_as + " has changed while it was read",
                     "run it again");
  }
  for (size_t i = 0; i < found_.size(); ++i) VIAND_RETURN_NOT_OK(Append(i, rows));
  next_row_ += rows;
  options_.progress->Advance(rows);
  return arrow::Status::OK();
}

arrow::Status RetrievedRows::Append(size_t lookup, int64_t rows) {
  const FoundFeatures& found = found_[lookup];
  StageTimer timer(found.counters);
  const int64_t end = next_row_ + rows;
  VIAND_ASSIGN_OR_RETURN(const Tables parts,
                         AppendFound(pieces_[lookup], *found.columns, FieldsOf(found),
                                     {.first_row = next_row_,
                                      .missing = found.missing,
                                      .in_parallel = options_.executor->Parallelism() > 1},
                                     &rows_));
  rows_left_[lookup] -= RowsOf(parts);
  if (end == chunk_end_ && rows_left_[lookup] != 0) return RowsLostOrRepeated();
  return timer.Count(parts, rows);
}

}  // namespace viand::engine
