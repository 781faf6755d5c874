#include "src/store/standard_output.h"

#include <arrow/array.h>
#include <arrow/csv/writer.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <poll.h>
#include <unistd.h>

#include "src/store/nested_json.h"

namespace viand::store {
namespace {

using Sink = std::shared_ptr<arrow::io::OutputStream>;

/// Rows of a row group, and of the pieces that JSON is made of.
constexpr int64_t kRowsAtATime = 64 * 1024;

arrow::Status WriteCsv(const std::shared_ptr<arrow::Table>& table, const Sink& sink) {
  ARROW_ASSIGN_OR_RAISE(const auto flat, WithNestedAsJson(table));
  return arrow::csv::WriteCSV(*flat, arrow::csv::WriteOptions::Defaults(), sink.get());
}

arrow::Status WriteJsonLines(const std::shared_ptr<arrow::Table>& table, const Sink& sink) {
  arrow::TableBatchReader reader(*table);
  reader.set_chunksize(kRowsAtATime);
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader.ReadNext(&batch));
    if (batch == nullptr) return arrow::Status::OK();
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
    ARROW_RETURN_NOT_OK(sink->Write(lines));
  }
}

arrow::Status WriteIpcStream(const arrow::Table& table, const Sink& sink) {
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(sink, table.schema()));
  ARROW_RETURN_NOT_OK(writer->WriteTable(table, kRowsAtATime));
  return writer->Close();
}

arrow::Status WriteParquetTo(const arrow::Table& table, const Sink& sink) {
  parquet::WriterProperties::Builder properties;
  properties.compression(arrow::Compression::SNAPPY);
  parquet::ArrowWriterProperties::Builder arrow_properties;
  // Without Arrow's own schema in it a reader would lose the zone of a timestamp.
  arrow_properties.store_schema();
  return parquet::arrow::WriteTable(table, arrow::default_memory_pool(), sink, kRowsAtATime,
                                    properties.build(), arrow_properties.build());
}

bool ReaderHasGone() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

arrow::Status Write(const std::shared_ptr<arrow::Table>& table, const std::string& format,
                    const Sink& sink) {
  if (format == "json") {
    ARROW_RETURN_NOT_OK(WriteJsonLines(table, sink));
  } else if (format == "arrow") {
    ARROW_RETURN_NOT_OK(WriteIpcStream(*table, sink));
  } else if (format == "parquet") {
    ARROW_RETURN_NOT_OK(WriteParquetTo(*table, sink));
  } else {
    ARROW_RETURN_NOT_OK(WriteCsv(table, sink));
  }
  return sink->Flush();
}

}  // namespace

arrow::Status WriteToStandardOutput(const std::shared_ptr<arrow::Table>& table,
                                    const std::string& format) {
  const auto sink = std::make_shared<arrow::io::StdoutStream>();
  const arrow::Status written = Write(table, format, sink);
  if (written.ok() || ReaderHasGone()) return arrow::Status::OK();
  if (DetailOf(written) != nullptr) return written;
  return MakeError(ErrorKind::kEnvironment,
                   "cannot write to standard output: " + written.message());
}

}  // namespace viand::store
