// Rows as they come, written as CSV.
#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>

#include "src/common/error.h"

namespace arrow::io {
class OutputStream;
}

namespace viand::store {

/// Calls `visit` for every batch and adds its rows to `count`.
template <typename Visit>
arrow::Status ForEachBatch(arrow::RecordBatchReader* rows, int64_t* count, Visit&& visit) {
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(visit(batch));
    *count += batch->num_rows();
  }
}

/// Writes a line of names, then one a row; nested values as JSON text.
arrow::Status WriteCsv(arrow::RecordBatchReader* rows, arrow::io::OutputStream* sink,
                       int64_t* count);

}  // namespace viand::store
