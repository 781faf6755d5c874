// How rows are cut into the row groups of a Parquet file: by their number and by their bytes, of
// the rows alone, so that it does not show in what pieces they came.
//
//   RowGroups groups;
//   VIAND_RETURN_NOT_OK(groups.Write(*batch, output));   // of any number of rows
//   VIAND_RETURN_NOT_OK(groups.Finish(output));
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

/// What writes row groups to a file. Not thread-safe.
class RowGroupOutput {
 public:
  RowGroupOutput() = default;
  RowGroupOutput(const RowGroupOutput&) = delete;
  RowGroupOutput& operator=(const RowGroupOutput&) = delete;
  virtual ~RowGroupOutput() = default;

  /// Adds rows to the group; begins one where there is none.
  virtual arrow::Status Add(const std::shared_ptr<arrow::RecordBatch>& rows) = 0;
  /// Ends the group; what is added next is of another.
  virtual arrow::Status EndRowGroup() = 0;
  /// Writes a table as a group of its own.
  virtual arrow::Status WriteGroup(const arrow::Table& rows) = 0;
  /// Ends the file.
  virtual arrow::Status Close() = 0;
};

/// Writes by Arrow's writer, which takes columns of all types.
class ArrowRowGroups final : public RowGroupOutput {
 public:
  /// The writer's own limit of a row group must not be less than what is added to one.
  explicit ArrowRowGroups(std::unique_ptr<parquet::arrow::FileWriter> writer);
  ~ArrowRowGroups() override;

  arrow::Status Add(const std::shared_ptr<arrow::RecordBatch>& rows) override;
  arrow::Status EndRowGroup() override;
  arrow::Status WriteGroup(const arrow::Table& rows) override;
  arrow::Status Close() override;

 private:
  const std::unique_ptr<parquet::arrow::FileWriter> writer_;
  bool begun_ = false;
};

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

  /// Writes rows behind those before, but the last of a block that has begun.
  arrow::Status Write(const arrow::RecordBatch& batch, RowGroupOutput* output);

  /// Writes what is left and ends the group, before the output is closed or given rows by others.
  arrow::Status Finish(RowGroupOutput* output);

 private:
  /// The writer's batch (parquet::WriterProperties::write_batch_size).
  static constexpr int64_t kBlockRows = 1024;

  /// How many of the rows from `first` on are of the group that was begun.
  int64_t RowsThatFit(const arrow::RecordBatch& batch, int64_t first) const;

  const int64_t most_rows_;
  const int64_t most_bytes_;
  /// Adds rows of the group that was begun.
  arrow::Status Add(const arrow::RecordBatch& rows, RowGroupOutput* output);
  arrow::Status AddKept(RowGroupOutput* output);
  void Keep(const arrow::RecordBatch& rows);

  std::vector<std::shared_ptr<arrow::RecordBatch>> kept_;  // of a block that is not whole
  int64_t kept_rows_ = 0;
  int64_t rows_ = 0;   // of the group that was begun
  int64_t bytes_ = 0;  // the same
};

}  // namespace viand
