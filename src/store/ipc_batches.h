// The record batches of an Arrow IPC file or stream: of its rows alone, as those of a Parquet file
// are. Rows are cut by their number and bytes (RowGroups), whatever pieces they come in; and
// memory, which IPC writes as it is, has no bytes behind the last value, no bits behind the last
// row, and zeros where numbers are null.
//
//   IpcBatches batches(writer.get());
//   VIAND_RETURN_NOT_OK(batches.Write(*rows));  // of any number of rows
//   VIAND_RETURN_NOT_OK(batches.Finish());
#pragma once

#include <memory>
#include <vector>

#include "src/common/row_groups.h"

namespace arrow {
class DataType;
class Schema;
}  // namespace arrow
namespace arrow::ipc {
class RecordBatchWriter;
}

namespace viand::store {

/// Tells whether values of a schema lie in dictionaries, at any depth.
bool HasDictionaries(const arrow::Schema& schema);

/// Copies what arrays of one type have, one after another. Dictionaries must be the same.
arrow::Result<std::shared_ptr<arrow::Array>> JoinedExactly(
    const std::vector<std::shared_ptr<arrow::Array>>& arrays);

/// Not thread-safe.
class IpcBatches {
 public:
  explicit IpcBatches(arrow::ipc::RecordBatchWriter* writer) : output_(writer) {}

  arrow::Status Write(const arrow::RecordBatch& rows) { return groups_.Write(rows, &output_); }
  /// Writes what is left; the writer is closed by whom it belongs to.
  arrow::Status Finish() { return groups_.Finish(&output_); }

 private:
  class Output final : public RowGroupOutput {
   public:
    explicit Output(arrow::ipc::RecordBatchWriter* writer) : writer_(writer) {}
    arrow::Status Add(const std::shared_ptr<arrow::RecordBatch>& rows) override;
    arrow::Status EndRowGroup() override;
    arrow::Status WriteGroup(const arrow::Table& rows) override;
    arrow::Status Close() override { return EndRowGroup(); }

   private:
    arrow::ipc::RecordBatchWriter* const writer_;
    std::vector<std::shared_ptr<arrow::RecordBatch>> rows_;  // of the batch that was begun
  };

  Output output_;
  RowGroups groups_;
};

}  // namespace viand::store
