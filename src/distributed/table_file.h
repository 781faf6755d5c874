// Tables as files (table_stream.h): how processes of one machine hand them to each other.
#pragma once

#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::distributed {

/// Writes a table; returns the file's bytes. Disk full and the like name the path.
arrow::Result<int64_t> WriteTableFile(const std::shared_ptr<arrow::Table>& table,
                                      const std::string& path);

/// Reads it back; the file is mapped, so that what is not packed holds no memory of its own, and
/// outlives an unlink of the file.
arrow::Result<std::shared_ptr<arrow::Table>> ReadTableFile(const std::string& path);

}  // namespace viand::distributed
