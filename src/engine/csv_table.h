// CSV files and texts as tables: whole, for only the whole text tells a column's type.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class Buffer;
class DataType;
class MemoryPool;
class Table;
}  // namespace arrow

namespace viand::engine {

using CsvTypes = std::map<std::string, std::shared_ptr<arrow::DataType>>;

/// Reads a CSV file whole, also gzipped (.gz): types given by column name, others inferred over all
/// rows. An empty cell is null, also in a text column; "" in quotes is an empty text. A row with
/// too few or too many cells, or a cell that is not of its column's type, is kInput with the number
/// of its row, the header's being 1.
arrow::Result<std::shared_ptr<arrow::Table>> ReadCsvFile(const std::string& path,
                                                         const CsvTypes& types,
                                                         const std::string& described_as,
                                                         arrow::MemoryPool* pool);

/// The same of a text in memory.
arrow::Result<std::shared_ptr<arrow::Table>> ReadCsvText(const std::shared_ptr<arrow::Buffer>& text,
                                                         const CsvTypes& types,
                                                         const std::string& described_as,
                                                         arrow::MemoryPool* pool);

}  // namespace viand::engine
