// A result as the user wants it: Parquet, CSV or Arrow IPC.
#pragma once

#include <cstdint>
#include <string>

#include "src/common/error.h"

namespace arrow {
class RecordBatchReader;
}

namespace viand::store {

/// Checks, before anything is computed, that WriteTableFile can write to `path`: by its extension,
/// and that it is no folder. kUsage. "-", standard output, passes.
arrow::Status CheckTableFile(const std::string& path);

/// The same for what is always Parquet; `what` reads "predictions".
arrow::Status CheckParquetFile(const std::string& path, const std::string& what);

/// Writes the rows as they come to `path`, relative to the current folder, by its extension:
/// Parquet (.parquet), CSV
/// (.csv), Arrow IPC (.arrow, .feather, .ipc). A file appears whole or not at all. Another
/// extension is kUsage. CSV has lists and structs as JSON text. Returns the number of rows.
arrow::Result<int64_t> WriteTableFile(arrow::RecordBatchReader* rows, const std::string& path);

}  // namespace viand::store
