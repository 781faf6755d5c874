#include "src/store/standard_output.h"

#include <arrow/array.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <poll.h>
#include <unistd.h>

#include "src/common/block_pool.h"
#include "src/common/row_groups.h"
#include "src/store/csv_rows.h"
#include "src/store/ipc_batches.h"
#include "src/store/nested_json.h"

namespace viand::store {
namespace {

using Sink = std::shared_ptr<arrow::io::OutputStream>;

arrow::Status WriteJsonLines(const std::shared_ptr<arrow::RecordBatch>& batch, const Sink& sink) {
  // A row is a struct of its columns.
  ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::Array> rows, batch->ToStructArray());
  const auto schema = arrow::schema({arrow::field("row", rows->type())});
  ARROW_ASSIGN_OR_RAISE(const auto texts,
                        WithNestedAsJson(arrow::Table::Make(schema, {rows}, rows->length())));
  std::string lines;
  for (const auto& chunk : texts->column(0)->chunks()) {
    const auto& values = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) {
      lines += values.GetView(i);
      lines += '\n';
    }
  }
  return sink->Write(lines);
}

arrow::Status WriteIpcStream(arrow::RecordBatchReader* rows, const Sink& sink, int64_t* count) {
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(sink, rows->schema()));
  // Each batch may have a dictionary of its own.
  const bool as_they_come = HasDictionaries(*rows->schema());
  IpcBatches batches(writer.get());
  ARROW_RETURN_NOT_OK(ForEachBatch(rows, count, [&](const auto& batch) {
    return as_they_come ? writer->WriteRecordBatch(*batch) : batches.Write(*batch);
  }));
  ARROW_RETURN_NOT_OK(batches.Finish());
  return writer->Close();
}

arrow::Status WriteParquetTo(arrow::RecordBatchReader* rows, const Sink& sink, int64_t* count) {
  parquet::WriterProperties::Builder properties;
  properties.memory_pool(ProcessPool());
  properties.compression(arrow::Compression::SNAPPY);
  properties.max_row_group_length(RowGroups::kMostRows);
  parquet::ArrowWriterProperties::Builder arrow_properties;
  // Without Arrow's own schema in it a reader would lose the zone of a timestamp.
  arrow_properties.store_schema();
  ARROW_ASSIGN_OR_RAISE(
      auto writer, parquet::arrow::FileWriter::Open(*rows->schema(), ProcessPool(), sink,
                                                    properties.build(), arrow_properties.build()));
  ArrowRowGroups output(std::move(writer));
  RowGroups groups;
  ARROW_RETURN_NOT_OK(
      ForEachBatch(rows, count, [&](const auto& batch) { return groups.Write(*batch, &output); }));
  ARROW_RETURN_NOT_OK(groups.Finish(&output));
  return output.Close();
}

bool ReaderHasGone() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

arrow::Status Write(arrow::RecordBatchReader* rows, const std::string& format, const Sink& sink,
                    int64_t* count) {
  if (format == "json") {
    ARROW_RETURN_NOT_OK(
        ForEachBatch(rows, count, [&](const auto& batch) { return WriteJsonLines(batch, sink); }));
  } else if (format == "arrow") {
    ARROW_RETURN_NOT_OK(WriteIpcStream(rows, sink, count));
  } else if (format == "parquet") {
    ARROW_RETURN_NOT_OK(WriteParquetTo(rows, sink, count));
  } else {
    ARROW_RETURN_NOT_OK(WriteCsv(rows, sink.get(), count));
  }
  return sink->Flush();
}

}  // namespace

arrow::Result<int64_t> WriteToStandardOutput(arrow::RecordBatchReader* rows,
                                             const std::string& format) {
  const auto sink = std::make_shared<arrow::io::StdoutStream>();
  int64_t count = 0;
  const arrow::Status written = Write(rows, format, sink, &count);
  if (written.ok() || (DetailOf(written) == nullptr && ReaderHasGone())) return count;
  if (DetailOf(written) != nullptr) return written;
  return MakeError(ErrorKind::kEnvironment,
                   "cannot write to standard output: " + written.message());
}

}  // namespace viand::store
