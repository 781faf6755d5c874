// The files that a result is written to by fragments, and how the driver reads one again.
//
//   VIAND_ASSIGN_OR_RETURN(auto output, PartOutput::Open(path, PartFormat::kParquet, schema));
//   VIAND_RETURN_NOT_OK(output->Write(*rows));
//   VIAND_ASSIGN_OR_RETURN(const int64_t bytes, output->Commit());
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/engine/execute.h"
#include "src/engine/fragment.h"

namespace arrow {
class RecordBatchReader;
class Schema;
class Table;
}  // namespace arrow

namespace viand::engine {

/// Not thread-safe. Without Commit nothing is left behind.
class PartOutput {
 public:
  /// Columns of the tables are parallel to `schema`.
  static arrow::Result<std::unique_ptr<PartOutput>> Open(
      const std::string& path, PartFormat format, const std::shared_ptr<arrow::Schema>& schema);
  virtual ~PartOutput() = default;

  virtual arrow::Status Write(const arrow::Table& rows) = 0;
  /// Makes the file visible; returns its bytes.
  virtual arrow::Result<int64_t> Commit() = 0;
};

/// Of what fragments that write files put out: path utf8, rows int64, bytes int64; a row a file.
std::shared_ptr<arrow::Schema> PartFilesSchema();
arrow::Result<std::shared_ptr<arrow::Table>> ToTable(const std::vector<PartFile>& files);
/// kInput where it is no such table of `count` files.
arrow::Result<std::vector<PartFile>> FilesOf(const arrow::Table& table, size_t count);

/// Opens a part that was written as kIpcStream.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenIpcStreamPart(const std::string& path);

}  // namespace viand::engine
