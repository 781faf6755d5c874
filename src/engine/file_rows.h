// The rows of file parts one after another, as many at a time as are asked for, in the types of a
// whole scan.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/engine/read_file.h"

namespace arrow {
class Schema;
class Table;
}  // namespace arrow

namespace viand::engine {

/// Where rows of a scan are.
struct FileColumns {
  std::vector<FilePart> parts;            ///< in row order
  std::vector<std::string> file_columns;  ///< parallel to `schema`: names in the files
  std::shared_ptr<arrow::Schema> schema;  ///< as the rows are given out
  std::string described_as;               ///< for errors
};

/// Not thread-safe.
class FileRows {
 public:
  /// Passes over the first `skipped_rows`.
  FileRows(FileColumns columns, ReadOptions read, int64_t skipped_rows = 0)
      : columns_(std::move(columns)), read_(std::move(read)), skipped_rows_(skipped_rows) {}

  /// The next rows: fewer than `rows` at the end alone.
  arrow::Result<std::shared_ptr<arrow::Table>> Read(int64_t rows);

 private:
  /// Null at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextBatch();

  const FileColumns columns_;
  const ReadOptions read_;
  int64_t skipped_rows_;
  size_t next_part_ = 0;
  std::unique_ptr<PartReader> reader_;         // of the part before next_part_
  std::shared_ptr<arrow::RecordBatch> batch_;  // what of it was read and not given out
};

/// Gives a batch of one file the types of the whole scan; columns are parallel to `schema`.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithTypes(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace viand::engine
