#include "src/store/table_file.h"

#include <arrow/csv/writer.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <filesystem>

#include "src/common/atomic_output.h"
#include "src/offline/parquet_file.h"

namespace viand::store {
namespace {

arrow::Status WriteCsv(const arrow::Table& table, arrow::io::OutputStream* sink) {
  return arrow::csv::WriteCSV(table, arrow::csv::WriteOptions::Defaults(), sink);
}

arrow::Status WriteIpc(const arrow::Table& table, arrow::io::OutputStream* sink) {
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, table.schema()));
  ARROW_RETURN_NOT_OK(writer->WriteTable(table));
  return writer->Close();
}

template <typename Write>
arrow::Status WriteAtomically(const std::string& path, Write write) {
  ARROW_ASSIGN_OR_RAISE(auto output, AtomicOutput::Open(path));
  ARROW_RETURN_NOT_OK(output->Check(write(output.get())));
  return output->Commit().status();
}

}  // namespace

arrow::Status WriteTableFile(const std::shared_ptr<arrow::Table>& table, const std::string& path) {
  if (path == "-") {
    arrow::io::StdoutStream sink;
    ARROW_RETURN_NOT_OK(WriteCsv(*table, &sink));
    return sink.Flush();
  }
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".parquet")
    return WriteParquet(table, path, {.encoding = ParquetEncoding::kQuick});
  if (extension == ".csv")
    return WriteAtomically(path, [&](auto* sink) { return WriteCsv(*table, sink); });
  if (extension == ".arrow" || extension == ".feather" || extension == ".ipc") {
    return WriteAtomically(path, [&](auto* sink) { return WriteIpc(*table, sink); });
  }
  return MakeError(ErrorKind::kUsage, fmt::format("cannot tell a format from the name {}", path),
                   "end it in .parquet, .csv or .arrow, or write - for CSV on standard output");
}

}  // namespace viand::store
