#include "src/distributed/table_file.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <fmt/format.h>

namespace viand::distributed {
namespace {

arrow::Status NotExchanged(const arrow::Status& status, const std::string& path) {
  if (status.ok() || DetailOf(status) != nullptr) return status;
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("cannot exchange a table by {}: {}", path, status.message()),
                   "is the disk of the temporary folder full?");
}

// The stream format: that of files has one dictionary a column, and coded columns one a batch.
arrow::Status Write(const arrow::Table& table, const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(auto file, arrow::io::FileOutputStream::Open(path));
  VIAND_ASSIGN_OR_RETURN(auto writer, arrow::ipc::MakeStreamWriter(file, table.schema()));
  VIAND_RETURN_NOT_OK(writer->WriteTable(table));
  VIAND_RETURN_NOT_OK(writer->Close());
  return file->Close();
}

arrow::Result<std::shared_ptr<arrow::Table>> Read(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(auto file,
                         arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ));
  VIAND_ASSIGN_OR_RETURN(auto reader, arrow::ipc::RecordBatchStreamReader::Open(file));
  return reader->ToTable();
}

}  // namespace

arrow::Status WriteTableFile(const arrow::Table& table, const std::string& path) {
  return NotExchanged(Write(table, path), path);
}

arrow::Result<std::shared_ptr<arrow::Table>> ReadTableFile(const std::string& path) {
  auto table = Read(path);
  if (!table.ok()) return NotExchanged(table.status(), path);
  return table;
}

}  // namespace viand::distributed
