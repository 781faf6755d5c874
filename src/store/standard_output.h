// A result on standard output, for the next program of a pipe.
#pragma once

#include <cstdint>
#include <string>

#include "src/common/error.h"

namespace arrow {
class RecordBatchReader;
}

namespace viand::store {

/// Writes the rows as they come, as CSV (nested values as JSON text), JSON (an object a row, one a
/// line), an Arrow IPC stream, or Parquet; an empty format is CSV. A reader that has gone (`|
/// head`) is no error: nobody wants the rest. Returns the number of rows that were written.
arrow::Result<int64_t> WriteToStandardOutput(arrow::RecordBatchReader* rows,
                                             const std::string& format);

}  // namespace viand::store
