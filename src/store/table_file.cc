#include "src/store/table_file.h"

#include <arrow/csv/writer.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <filesystem>

#include "src/common/atomic_output.h"
#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/offline/parquet_file.h"
#include "src/store/nested_json.h"

namespace viand::store {
namespace {

arrow::Status WriteCsv(const std::shared_ptr<arrow::Table>& table, arrow::io::OutputStream* sink) {
  ARROW_ASSIGN_OR_RAISE(const auto flat, WithNestedAsJson(table));
  return arrow::csv::WriteCSV(*flat, arrow::csv::WriteOptions::Defaults(), sink);
}

enum class TableFormat { kParquet, kCsv, kIpc };

arrow::Result<TableFormat> FormatOf(const std::string& path) {
  const std::string extension = std::filesystem::path(ParseAddress(path).path).extension().string();
  if (extension == ".csv") return TableFormat::kCsv;
  if (extension == ".parquet") return TableFormat::kParquet;
  if (extension == ".arrow" || extension == ".feather" || extension == ".ipc") {
    return TableFormat::kIpc;
  }
  return MakeError(ErrorKind::kUsage, fmt::format("cannot tell a format from the name {}", path),
                   "end it in .parquet, .csv or .arrow, or write - for standard output");
}

arrow::Status WriteIpc(const arrow::Table& table, arrow::io::OutputStream* sink) {
  // A file has one dictionary a column, and the chunks of a spine may each have their own.
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.unify_dictionaries = true;
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, table.schema(), options));
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

arrow::Status CheckTableFile(const std::string& path) {
  if (path == "-") return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(FormatOf(path).status());
  if (IsRemotePath(path)) return CheckBucket(path, "cannot write");
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return arrow::Status::OK();
  return MakeError(ErrorKind::kUsage, fmt::format("cannot write {}: it is a folder", path),
                   "name a file in it");
}

arrow::Status CheckParquetFile(const std::string& path, const std::string& what) {
  if (std::filesystem::path(ParseAddress(path).path).extension() == ".parquet")
    return CheckTableFile(path);
  return MakeError(ErrorKind::kUsage,
                   fmt::format("cannot write {} to {}: they are Parquet", what, path),
                   "end the name in .parquet");
}

arrow::Status WriteTableFile(const std::shared_ptr<arrow::Table>& table, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const TableFormat format, FormatOf(path));
  if (format == TableFormat::kParquet) {
    return WriteParquet(table, path, {.encoding = ParquetEncoding::kQuick});
  }
  return WriteAtomically(path, [&](auto* sink) {
    return format == TableFormat::kCsv ? WriteCsv(table, sink) : WriteIpc(*table, sink);
  });
}

}  // namespace viand::store
