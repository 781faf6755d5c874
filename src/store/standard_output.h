// A result on standard output, for the next program of a pipe.
#pragma once

#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Table;
}

namespace viand::store {

/// Writes the table as CSV (nested values as JSON text), JSON (an object a row, one a line), an
/// Arrow IPC stream, or Parquet; an empty format is CSV. A reader that has gone (`| head`) is no
/// error: nobody wants the rest.
arrow::Status WriteToStandardOutput(const std::shared_ptr<arrow::Table>& table,
                                    const std::string& format);

}  // namespace viand::store
