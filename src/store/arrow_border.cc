#include "src/store/arrow_border.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <algorithm>

#include "src/common/cancellation.h"

namespace viand::store {
namespace {

StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return StatusCode::kUsage;
    case ErrorKind::kDefinition:
      return StatusCode::kDefinition;
    case ErrorKind::kInput:
      return StatusCode::kInput;
    case ErrorKind::kConflict:
      return StatusCode::kConflict;
    case ErrorKind::kCancelled:
      return StatusCode::kCancelled;
    case ErrorKind::kNotFound:
      return StatusCode::kNotFound;
    case ErrorKind::kRegistry:
      return StatusCode::kRegistry;
    case ErrorKind::kEnvironment:
      break;
  }
  return StatusCode::kEnvironment;
}

/// A C stream carries one text: what the reader's failure says to people, hint and place included.
/// Batches without rows do not cross: Arrow imports one that lies behind others in its column with
/// buffers of no bytes, and then writes IPC of negative length.
class BorderReader : public arrow::RecordBatchReader {
 public:
  explicit BorderReader(std::shared_ptr<arrow::RecordBatchReader> reader)
      : reader_(std::move(reader)), token_(CurrentCancellation()) {}

  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    const CancellationScope scope(token_);
    arrow::Status status;
    do {
      status = reader_->ReadNext(batch);
    } while (status.ok() && *batch != nullptr && (*batch)->num_rows() == 0);
    if (status.ok()) return status;
    return arrow::Status(status.code(), RenderError(status));
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> reader_;
  const CancellationToken token_;  // of the call that gave the stream
};

arrow::Status InputError(const arrow::Status& status) {
  return MakeError(ErrorKind::kInput, "cannot read the table: " + status.message());
}

}  // namespace

Status ToPublic(const arrow::Status& status) {
  if (status.ok()) return Status();
  const StatusCode code = CodeOf(KindOf(status));
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr) return Status(code, status.message());
  const SourceLocation& where = detail->where;
  return Status(code, status.message(), detail->hint, where.file, where.line,
                std::max(0, where.column));
}

arrow::Result<Table> ToPublicTable(std::shared_ptr<arrow::RecordBatchReader> reader) {
  ArrowArrayStream stream = {};
  VIAND_RETURN_NOT_OK(
      arrow::ExportRecordBatchReader(std::make_shared<BorderReader>(std::move(reader)), &stream));
  return Table(&stream);
}

arrow::Result<Table> ToPublicTable(std::shared_ptr<arrow::Table> table) {
  return ToPublicTable(std::make_shared<arrow::TableBatchReader>(std::move(table)));
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ToReader(Table table) {
  if (!table.has_stream()) {
    return MakeError(ErrorKind::kUsage, "the table has no stream: it was moved or released");
  }
  ArrowArrayStream stream;
  table.Release(&stream);
  auto reader = arrow::ImportRecordBatchReader(&stream);
  if (!reader.ok()) return InputError(reader.status());
  return std::make_shared<BorderReader>(*std::move(reader));
}

arrow::Result<std::shared_ptr<arrow::Table>> ToArrowTable(Table table) {
  VIAND_ASSIGN_OR_RETURN(const auto reader, ToReader(std::move(table)));
  auto read = reader->ToTable();
  if (!read.ok()) return InputError(read.status());
  return read;
}

}  // namespace viand::store
