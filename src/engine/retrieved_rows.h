// The rows of a retrieval as they are asked for: the spine's, and beside each what the lookups
// found for it.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <memory>
#include <string>
#include <vector>

#include "src/engine/assemble_rows.h"
#include "src/engine/executor.h"
#include "src/engine/row_chunks.h"
#include "src/engine/spine.h"

namespace viand::engine {

/// What one lookup found for the rows of the spine.
struct FoundFeatures {
  std::vector<std::string> names;                       ///< of the outputs
  std::vector<std::shared_ptr<arrow::DataType>> types;  ///< of the outputs
  std::shared_ptr<arrow::Schema> columns;               ///< the outputs as they were found
  std::vector<std::vector<TableReference>> chunks;      ///< tables (row number, columns...)
  MissingRows missing = MissingRows::kNull;
  StageCounters* counters = nullptr;
};

/// The columns that a lookup brings to the result.
arrow::FieldVector FieldsOf(const FoundFeatures& found);

/// The spine's columns, then those of each lookup.
std::shared_ptr<arrow::Schema> ResultSchema(const Spine& spine,
                                            const std::vector<FoundFeatures>& found);

/// How a result is put together.
struct RetrievedChunks {
  RowChunks dealt;             ///< as the pieces are: those of one are fetched at a time
  int64_t rows_at_a_time = 1;  ///< of these, put together at a time
};

/// Not thread-safe. The executor of `options` must outlive it.
class RetrievedRows final : public arrow::RecordBatchReader {
 public:
  RetrievedRows(std::unique_ptr<const Spine> spine, std::vector<FoundFeatures> found,
                const RetrievedChunks& chunks, const ExecuteOptions& options);

  ~RetrievedRows() override;

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  /// The next rows; null at the end, where it fails (kInput) if the spine was written anew in the
  /// meantime.
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;

 private:
  void EndProgress();
  arrow::Status NextChunk();
  arrow::Status Assemble();
  arrow::Status Append(size_t lookup, int64_t rows);

  const std::unique_ptr<const Spine> spine_;
  std::vector<FoundFeatures> found_;
  const RetrievedChunks chunks_;
  const ExecuteOptions options_;
  const std::shared_ptr<arrow::Schema> schema_;
  SpineReader reader_;

  bool in_progress_ = false;  // a stage of progress was begun and not ended
  int next_chunk_ = 0;
  int64_t next_row_ = 0;
  int64_t chunk_end_ = 0;                             // where the chunk before next_chunk_ ends
  std::vector<Tables> pieces_;                        // of that chunk, by lookup
  int64_t rows_at_a_time_ = 0;                        // of that chunk
  std::vector<int64_t> rows_left_;                    // of these, by lookup: not put together yet
  std::shared_ptr<arrow::Table> rows_;                // what was put together last
  std::unique_ptr<arrow::TableBatchReader> batches_;  // of rows_; null: all given out
};

}  // namespace viand::engine
