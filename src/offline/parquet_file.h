// Small Parquet files of ours: written whole and atomically, read whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/common/parquet_output.h"

namespace viand::offline {

using viand::WriteParquet;

/// Reads a file, or only `columns` of it; a missing or damaged file is kInput, naming it.
arrow::Result<std::shared_ptr<arrow::Table>> ReadParquet(
    const std::string& path, const std::vector<std::string>& columns = {});

/// Reads the first rows, all columns, and for them no other row groups than theirs.
arrow::Result<std::shared_ptr<arrow::Table>> ReadParquetHead(const std::string& path,
                                                             int64_t most_rows);

arrow::Result<std::shared_ptr<arrow::Schema>> ReadParquetSchema(const std::string& path);
arrow::Result<int64_t> ParquetRowCount(const std::string& path);

}  // namespace viand::offline
