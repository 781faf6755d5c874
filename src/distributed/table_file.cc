#include "src/distributed/table_file.h"

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include "src/distributed/table_stream.h"

namespace viand::distributed {
namespace {

arrow::Status NotExchanged(const arrow::Status& status, const std::string& path) {
  if (status.ok() || DetailOf(status) != nullptr) return status;
  return MakeError(ErrorKind::kEnvironment,
                   fmt::format("cannot exchange a table by {}: {}", path, status.message()),
                   "is the disk of the temporary folder full?");
}

arrow::Result<int64_t> Write(const std::shared_ptr<arrow::Table>& table, const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(const auto bytes, SerializeTable(table));
  VIAND_ASSIGN_OR_RETURN(auto file, arrow::io::FileOutputStream::Open(path));
  VIAND_RETURN_NOT_OK(file->Write(bytes));
  VIAND_RETURN_NOT_OK(file->Close());
  return bytes->size();
}

arrow::Result<std::shared_ptr<arrow::Table>> Read(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(auto file,
                         arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ));
  VIAND_ASSIGN_OR_RETURN(const int64_t bytes, file->GetSize());
  VIAND_ASSIGN_OR_RETURN(auto buffer, file->Read(bytes));
  return ParseTable(std::move(buffer));
}

}  // namespace

arrow::Result<int64_t> WriteTableFile(const std::shared_ptr<arrow::Table>& table,
                                      const std::string& path) {
  auto bytes = Write(table, path);
  if (!bytes.ok()) return NotExchanged(bytes.status(), path);
  return bytes;
}

arrow::Result<std::shared_ptr<arrow::Table>> ReadTableFile(const std::string& path) {
  auto table = Read(path);
  if (!table.ok()) return NotExchanged(table.status(), path);
  return table;
}

}  // namespace viand::distributed
