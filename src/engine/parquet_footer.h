// Footers of Parquet files: the schema, the row groups and their statistics. Read once a process:
// what checks definitions, what plans and what reads share them. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "src/common/data_files.h"

namespace arrow {
class Schema;
}
namespace parquet {
class FileMetaData;
class RowGroupMetaData;
}  // namespace parquet

namespace viand::engine {

struct ParquetFooter {
  ListedFile file;  ///< as it was when the footer was read
  std::shared_ptr<parquet::FileMetaData> metadata;
  std::shared_ptr<arrow::Schema> schema;  ///< the file's own names and types
};
using FooterPtr = std::shared_ptr<const ParquetFooter>;

/// Reads a footer, or returns the one that was read before from a file of this size and time. A
/// missing or damaged file is kInput, naming it; `described_as` (may be empty) stands in front.
arrow::Result<FooterPtr> ReadFooter(const std::string& path, const std::string& described_as);

/// The same of many files, several at a time; of failures the first file's is returned.
arrow::Result<std::vector<FooterPtr>> ReadFooters(const std::vector<std::string>& paths,
                                                  const std::string& described_as);

/// What values that differ in length, and those of lists, take in a row group: those of some
/// columns, which may be nested, as they are once they are decoded, where the file tells.
int64_t TextBytes(const parquet::RowGroupMetaData& group, const std::set<std::string>& columns);

}  // namespace viand::engine
