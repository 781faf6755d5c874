// Columns whose memory is of their values alone: no bytes behind the last one, no bits behind the
// last row, zeros where numbers are null. Arrow's IPC writes memory as it is, so that without this
// a file's bytes would tell where its rows came from. Pure functions.
#pragma once

#include <cstdint>
#include <memory>

#include "src/common/error.h"

namespace arrow {
class Array;
class RecordBatchReader;
}  // namespace arrow
namespace arrow::ipc {
class RecordBatchWriter;
}

namespace viand::store {

/// Copies an array.
arrow::Result<std::shared_ptr<arrow::Array>> WithExactBuffers(const arrow::Array& array);

/// Writes all rows as such arrays, batch by batch, and adds them up.
arrow::Status WriteExactBatches(arrow::RecordBatchReader* rows,
                                arrow::ipc::RecordBatchWriter* writer, int64_t* count);

}  // namespace viand::store
