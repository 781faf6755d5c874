#include "src/distributed/table_stream.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>

#include "src/common/block_pool.h"
#include "src/distributed/compact_dictionaries.h"

namespace viand::distributed {
namespace {

/// Of what begins a buffer in a stream: any that a kernel asks for.
constexpr int kStreamAlignment = 64;

arrow::Status Write(const arrow::Table& table, arrow::io::OutputStream* out) {
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.alignment = kStreamAlignment;
  options.use_threads = false;
  options.memory_pool = ProcessPool();
  VIAND_ASSIGN_OR_RETURN(auto writer, arrow::ipc::MakeStreamWriter(out, table.schema(), options));
  VIAND_RETURN_NOT_OK(writer->WriteTable(table));
  return writer->Close();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeTable(
    const std::shared_ptr<arrow::Table>& table) {
  VIAND_ASSIGN_OR_RETURN(const auto compact, CompactDictionaries(table));
  // Written twice, the first time to count: a buffer that grows would be copied again and again.
  arrow::io::MockOutputStream counted;
  VIAND_RETURN_NOT_OK(Write(*compact, &counted));
  VIAND_ASSIGN_OR_RETURN(auto out, arrow::io::BufferOutputStream::Create(
                                       counted.GetExtentBytesWritten(), ProcessPool()));
  VIAND_RETURN_NOT_OK(Write(*compact, out.get()));
  return out->Finish();
}

arrow::Result<std::shared_ptr<arrow::Table>> ParseTable(std::shared_ptr<arrow::Buffer> buffer) {
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.memory_pool = ProcessPool();
  VIAND_ASSIGN_OR_RETURN(
      auto reader, arrow::ipc::RecordBatchStreamReader::Open(
                       std::make_shared<arrow::io::BufferReader>(std::move(buffer)), options));
  return reader->ToTable();
}

}  // namespace viand::distributed
