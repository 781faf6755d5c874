// A result as the user wants it: Parquet, CSV or Arrow IPC.
#pragma once

#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::store {

/// Writes to `path`, relative to the current folder, by its extension: Parquet (.parquet), CSV
/// (.csv), Arrow IPC (.arrow, .feather, .ipc); "-" is CSV on standard output. A file appears whole
/// or not at all. Another extension is kUsage.
arrow::Status WriteTableFile(const std::shared_ptr<arrow::Table>& table, const std::string& path);

}  // namespace viand::store
