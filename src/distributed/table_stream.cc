#include "src/distributed/table_stream.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <vector>

#include "plan_generated.h"
#include "src/common/block_pool.h"
#include "src/distributed/compact_dictionaries.h"
#include "src/distributed/packed_numbers.h"

namespace viand::distributed {
namespace {

namespace message = engine::message;
using TablePtr = std::shared_ptr<arrow::Table>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;

/// Of the heads in a stream, and of a stream in a message.
constexpr int64_t kStreamAlignment = 64;
/// What a message with packed numbers begins with, and then the bytes of its header. An IPC stream
/// begins with FF FF FF FF. Never change.
constexpr char kMagic[8] = {'v', 'i', 'a', 'n', 'd', 't', 'b', '1'};
constexpr int64_t kPrefixBytes = sizeof(kMagic) + sizeof(uint64_t);
/// Shorter by less than this a message is not worth a header and a copy where it is read.
constexpr int64_t kLeastSavedBytes = 256;

int64_t OnBoundary(int64_t bytes) {
  return (bytes + kStreamAlignment - 1) / kStreamAlignment * kStreamAlignment;
}

arrow::Status Write(const arrow::Table& table, arrow::io::OutputStream* out) {
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.alignment = kStreamAlignment;
  options.use_threads = false;
  options.memory_pool = ProcessPool();
  VIAND_ASSIGN_OR_RETURN(auto writer, arrow::ipc::MakeStreamWriter(out, table.schema(), options));
  VIAND_RETURN_NOT_OK(writer->WriteTable(table));
  return writer->Close();
}

/// What the stream of a table takes. It is written twice, the first time to count: a buffer that
/// grows would be copied again and again.
arrow::Result<int64_t> StreamBytes(const arrow::Table& table) {
  arrow::io::MockOutputStream counted;
  VIAND_RETURN_NOT_OK(Write(table, &counted));
  return counted.GetExtentBytesWritten();
}

struct PackedColumn {
  int index = 0;
  PackedLayout layout;
};

/// The columns that take three quarters of their width or less.
std::vector<PackedColumn> ChoosePacked(const arrow::Table& table) {
  std::vector<PackedColumn> packed;
  int64_t saved_bits = 0;
  for (int i = 0; i < table.num_columns(); ++i) {
    const arrow::ChunkedArray& column = *table.column(i);
    if (!CanPack(column) || column.length() > kMostPackedNumbers) continue;
    const PackedLayout layout = ChooseLayout(column);
    const int width = column.type()->bit_width();
    if (layout.bits * 4 > width * 3) continue;
    packed.push_back({i, layout});
    saved_bits += layout.count * (width - layout.bits);
  }
  if (saved_bits / 8 < kLeastSavedBytes) packed.clear();
  return packed;
}

/// The columns that are not packed.
arrow::Result<TablePtr> OthersOf(const TablePtr& table, const std::vector<PackedColumn>& packed) {
  std::vector<int> others;
  size_t next = 0;
  for (int i = 0; i < table->num_columns(); ++i) {
    if (next < packed.size() && packed[next].index == i)
      ++next;
    else
      others.push_back(i);
  }
  VIAND_ASSIGN_OR_RETURN(TablePtr rest, table->SelectColumns(others));
  // Each chunk has a head in the stream. Those of coded columns have dictionaries of their own.
  for (const auto& field : rest->fields()) {
    if (field->type()->id() == arrow::Type::DICTIONARY) return rest;
  }
  return rest->num_columns() == 0 ? rest : rest->CombineChunks(ProcessPool());
}

/// Appends to a message in one buffer.
class MessageWriter {
 public:
  explicit MessageWriter(std::shared_ptr<arrow::io::BufferOutputStream> out)
      : out_(std::move(out)) {}

  arrow::Status Add(const void* data, int64_t bytes) { return out_->Write(data, bytes); }
  arrow::Status Align() {
    constexpr char kZeros[kStreamAlignment] = {};
    VIAND_ASSIGN_OR_RETURN(const int64_t at, out_->Tell());
    return out_->Write(kZeros, OnBoundary(at) - at);
  }

 private:
  const std::shared_ptr<arrow::io::BufferOutputStream> out_;
};

std::string HeaderOf(const arrow::Buffer& schema, int64_t rows, int64_t stream_bytes,
                     const std::vector<PackedColumn>& packed) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<message::PackedColumn>> columns;
  int64_t start = OnBoundary(stream_bytes);
  for (const PackedColumn& column : packed) {
    const PackedLayout& layout = column.layout;
    columns.push_back(message::CreatePackedColumn(builder, column.index, layout.differences,
                                                  layout.first, layout.least, layout.bits, start));
    start += PackedBytes(layout);
  }
  const auto schema_bytes = builder.CreateVector(schema.data(), schema.size());
  const auto column_list = builder.CreateVector(columns);
  builder.Finish(
      message::CreatePackedTable(builder, schema_bytes, rows, column_list, stream_bytes));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

arrow::Result<BufferPtr> SerializePacked(const TablePtr& table,
                                         const std::vector<PackedColumn>& packed) {
  VIAND_ASSIGN_OR_RETURN(const TablePtr others, OthersOf(table, packed));
  int64_t stream_bytes = 0;
  if (others->num_columns() > 0) {
    VIAND_ASSIGN_OR_RETURN(stream_bytes, StreamBytes(*others));
  }
  VIAND_ASSIGN_OR_RETURN(const BufferPtr schema,
                         arrow::ipc::SerializeSchema(*table->schema(), ProcessPool()));
  const std::string header = HeaderOf(*schema, table->num_rows(), stream_bytes, packed);
  const auto header_bytes = static_cast<uint64_t>(header.size());
  int64_t bytes =
      OnBoundary(kPrefixBytes + static_cast<int64_t>(header.size())) + OnBoundary(stream_bytes);
  for (const PackedColumn& column : packed) bytes += PackedBytes(column.layout);
  VIAND_ASSIGN_OR_RETURN(auto out, arrow::io::BufferOutputStream::Create(bytes, ProcessPool()));
  MessageWriter writer(out);
  VIAND_RETURN_NOT_OK(writer.Add(kMagic, sizeof(kMagic)));
  VIAND_RETURN_NOT_OK(writer.Add(&header_bytes, sizeof(header_bytes)));
  VIAND_RETURN_NOT_OK(writer.Add(header.data(), static_cast<int64_t>(header.size())));
  VIAND_RETURN_NOT_OK(writer.Align());
  if (stream_bytes > 0) {
    VIAND_RETURN_NOT_OK(Write(*others, out.get()));
    VIAND_RETURN_NOT_OK(writer.Align());
  }
  for (const PackedColumn& column : packed) {
    const std::string numbers = PackNumbers(*table->column(column.index), column.layout);
    VIAND_RETURN_NOT_OK(writer.Add(numbers.data(), static_cast<int64_t>(numbers.size())));
  }
  return out->Finish();
}

arrow::Status DamagedTable(std::string_view what) {
  return MakeError(ErrorKind::kInput, fmt::format("damaged table message: {}", what),
                   "it must come from the same version of viand");
}

arrow::Result<TablePtr> ParseStream(BufferPtr buffer) {
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.memory_pool = ProcessPool();
  // Written so; in a damaged stream numbers may lie anywhere.
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  VIAND_ASSIGN_OR_RETURN(
      auto reader, arrow::ipc::RecordBatchStreamReader::Open(
                       std::make_shared<arrow::io::BufferReader>(std::move(buffer)), options));
  VIAND_ASSIGN_OR_RETURN(TablePtr table, reader->ToTable());
  // That no column ends before its rows do; texts and lists are not walked through.
  if (const auto sound = table->Validate(); !sound.ok()) return DamagedTable(sound.message());
  return table;
}

class PackedMessage {
 public:
  arrow::Result<TablePtr> Parse(const BufferPtr& buffer) {
    VIAND_RETURN_NOT_OK(ReadHeader(buffer));
    std::vector<std::shared_ptr<arrow::ChunkedArray>> columns(schema_->num_fields());
    for (const auto* column : *header_->columns()) {
      VIAND_RETURN_NOT_OK(Check(*column, columns));
      const PackedLayout layout{header_->rows(), column->differences(), column->first(),
                                column->least(), column->bits()};
      VIAND_ASSIGN_OR_RETURN(
          auto array, UnpackNumbers(layout, body_->data() + column->start(),
                                    schema_->field(column->column())->type(), ProcessPool()));
      columns[column->column()] = std::make_shared<arrow::ChunkedArray>(std::move(array));
    }
    if (header_->columns()->size() < columns.size()) VIAND_RETURN_NOT_OK(AddOthers(&columns));
    return arrow::Table::Make(schema_, std::move(columns), header_->rows());
  }

 private:
  arrow::Status ReadHeader(const BufferPtr& buffer) {
    uint64_t bytes = 0;
    if (buffer->size() < kPrefixBytes) return DamagedTable("it ends too early");
    std::memcpy(&bytes, buffer->data() + sizeof(kMagic), sizeof(bytes));
    const auto left = static_cast<uint64_t>(buffer->size() - kPrefixBytes);
    if (bytes > left) return DamagedTable("it ends too early");
    // Numbers are read in place, so the header must lie as aligned as it was written.
    words_.resize(bytes / sizeof(uint64_t) + 1);
    std::memcpy(words_.data(), buffer->data() + kPrefixBytes, bytes);
    const auto* data = reinterpret_cast<const uint8_t*>(words_.data());
    flatbuffers::Verifier verifier(data, bytes);
    if (!verifier.VerifyBuffer<message::PackedTable>(nullptr)) return DamagedTable("its header");
    header_ = flatbuffers::GetRoot<message::PackedTable>(data);
    if (header_->schema() == nullptr || header_->columns() == nullptr || header_->rows() < 0 ||
        header_->rows() > kMostPackedNumbers)
      return DamagedTable("its header");
    arrow::io::BufferReader stream(
        std::make_shared<arrow::Buffer>(header_->schema()->data(), header_->schema()->size()));
    arrow::ipc::DictionaryMemo memo;
    auto schema = arrow::ipc::ReadSchema(&stream, &memo);
    if (!schema.ok()) return DamagedTable(schema.status().message());
    if (!(*schema)->is_native_endian()) return DamagedTable("numbers of another kind of machine");
    schema_ = *schema;
    const int64_t start = OnBoundary(kPrefixBytes + static_cast<int64_t>(bytes));
    if (start > buffer->size()) return DamagedTable("it ends too early");
    body_ = arrow::SliceBuffer(buffer, start);
    return arrow::Status::OK();
  }

  arrow::Status Check(const message::PackedColumn& column,
                      const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns) const {
    const int index = column.column();
    if (index < 0 || index >= schema_->num_fields() || columns[index] != nullptr)
      return DamagedTable("a packed column");
    const arrow::DataType& type = *schema_->field(index)->type();
    if (!IsPackable(type) || column.bits() < 0 || column.bits() > 64)
      return DamagedTable("a packed column");
    const PackedLayout layout{.count = header_->rows(), .bits = column.bits()};
    if (column.start() < 0 || column.start() > body_->size() ||
        PackedBytes(layout) > body_->size() - column.start())
      return DamagedTable("it ends too early");
    return arrow::Status::OK();
  }

  arrow::Status AddOthers(std::vector<std::shared_ptr<arrow::ChunkedArray>>* columns) const {
    const int64_t bytes = header_->stream_bytes();
    if (bytes <= 0 || bytes > body_->size()) return DamagedTable("it ends too early");
    VIAND_ASSIGN_OR_RETURN(const TablePtr others, ParseStream(arrow::SliceBuffer(body_, 0, bytes)));
    int next = 0;
    for (size_t i = 0; i < columns->size(); ++i) {
      if ((*columns)[i] != nullptr) continue;
      if (next == others->num_columns() ||
          !others->field(next)->type()->Equals(*schema_->field(static_cast<int>(i))->type()))
        return DamagedTable("columns that are not packed");
      (*columns)[i] = others->column(next++);
    }
    return next == others->num_columns() && others->num_rows() == header_->rows()
               ? arrow::Status::OK()
               : DamagedTable("columns that are not packed");
  }

  std::vector<uint64_t> words_;
  const message::PackedTable* header_ = nullptr;  // in words_
  std::shared_ptr<arrow::Schema> schema_;
  BufferPtr body_;  // what is behind the header
};

}  // namespace

arrow::Result<BufferPtr> SerializeTable(const TablePtr& table) {
  VIAND_ASSIGN_OR_RETURN(const TablePtr compact, CompactDictionaries(table));
  const std::vector<PackedColumn> packed = ChoosePacked(*compact);
  if (!packed.empty()) return SerializePacked(compact, packed);
  VIAND_ASSIGN_OR_RETURN(const int64_t bytes, StreamBytes(*compact));
  VIAND_ASSIGN_OR_RETURN(auto out, arrow::io::BufferOutputStream::Create(bytes, ProcessPool()));
  VIAND_RETURN_NOT_OK(Write(*compact, out.get()));
  return out->Finish();
}

arrow::Result<TablePtr> ParseTable(BufferPtr buffer) {
  if (buffer->size() >= kPrefixBytes && std::memcmp(buffer->data(), kMagic, sizeof(kMagic)) == 0)
    return PackedMessage().Parse(buffer);
  return ParseStream(std::move(buffer));
}

}  // namespace viand::distributed
