// How rows are cut into the row groups of a Parquet file: by their number and by their bytes, of
// the rows alone, so that it does not show in what pieces they came.
//
//   RowGroups groups;
//   VIAND_RETURN_NOT_OK(groups.Write(*batch, writer));   // of any number of rows
//   VIAND_RETURN_NOT_OK(groups.Finish(writer));
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class RecordBatch;
class Table;
}  // namespace arrow

namespace parquet::arrow {
class FileWriter;
}

namespace viand {

/// Bytes of the values of some rows: of numbers, texts, lists and structs; 0 of rarer types.
int64_t BytesOfRows(const arrow::Array& values, int64_t first, int64_t count);
/// The same of all columns and rows.
int64_t BytesOfRows(const arrow::Table& table);

/// The file's bytes are of the rows alone, too: a writer looks once a block whether a page is full,
/// and is given whole blocks. Not thread-safe.
class RowGroups {
 public:
  /// Scans deal out row groups to threads: small ones keep all of them busy, and prune better.
  static constexpr int64_t kMostRows = 64 << 10;
  /// A writer holds a group until it is whole, and who reads may hold one too. At least one row.
  static constexpr int64_t kMostBytes = 32 << 20;

  explicit RowGroups(int64_t most_rows = kMostRows, int64_t most_bytes = kMostBytes)
      : most_rows_(most_rows), most_bytes_(most_bytes) {}

  /// Writes rows behind those before, but the last of a block that has begun; the writer's own
  /// limit must not be less than most_rows.
  arrow::Status Write(const arrow::RecordBatch& batch, parquet::arrow::FileWriter* writer);

  /// Writes what is left, before the writer is closed or given rows by others.
  arrow::Status Finish(parquet::arrow::FileWriter* writer);

 private:
  /// The writer's batch (parquet::WriterProperties::write_batch_size).
  static constexpr int64_t kBlockRows = 1024;

  /// How many of the rows from `first` on are of the group that was begun.
  int64_t RowsThatFit(const arrow::RecordBatch& batch, int64_t first) const;

  const int64_t most_rows_;
  const int64_t most_bytes_;
  /// Adds rows of the group that was begun.
  arrow::Status Add(const arrow::RecordBatch& rows, parquet::arrow::FileWriter* writer);
  void Keep(const arrow::RecordBatch& rows);

  std::vector<std::shared_ptr<arrow::RecordBatch>> kept_;  // of a block that is not whole
  int64_t kept_rows_ = 0;
  int64_t rows_ = 0;   // of the group that was begun
  int64_t bytes_ = 0;  // the same
};

}  // namespace viand
