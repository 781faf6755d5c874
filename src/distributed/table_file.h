// Tables as Arrow IPC files: how processes of one machine hand them to each other.
#pragma once

#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::distributed {

/// Writes a table, chunk by chunk. Disk full and the like name the path.
arrow::Status WriteTableFile(const arrow::Table& table, const std::string& path);

/// Reads it back; the file is mapped, so that the table holds no memory of its own and outlives an
/// unlink of the file.
arrow::Result<std::shared_ptr<arrow::Table>> ReadTableFile(const std::string& path);

}  // namespace viand::distributed
