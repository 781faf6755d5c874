#include "src/common/flat_parquet.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>
#include <arrow/util/parallel.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>

#include "src/common/block_pool.h"
#include "src/common/plain_chunk.h"

namespace viand {
namespace {

/// Fewer values are encoded before a thread has woken up.
constexpr int64_t kValuesWorthThreads = 64 << 10;

bool IsFlat(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return true;
    default:
      return arrow::is_integer(type.id()) || type.id() == arrow::Type::FLOAT ||
             type.id() == arrow::Type::DOUBLE;
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> Joined(const arrow::ArrayVector& pieces) {
  if (pieces.size() == 1) return pieces[0];
  return arrow::Concatenate(pieces, ProcessPool());
}

std::vector<int16_t> DefinitionLevels(const arrow::Array& values) {
  std::vector<int16_t> levels(values.length(), 1);
  for (int64_t i = 0; values.null_count() > 0 && i < values.length(); ++i)
    levels[i] = values.IsValid(i) ? 1 : 0;
  return levels;
}

/// Of a row group, for which the format has 16 bits: those beyond have none.
int16_t OrdinalOf(size_t group) {
  constexpr size_t kMost = std::numeric_limits<int16_t>::max();
  return group <= kMost ? static_cast<int16_t>(group) : int16_t{-1};
}

}  // namespace

/// A column of a row group.
struct FlatParquet::Chunk {
  std::string name;
  const parquet::ColumnDescriptor* column;
  arrow::ArrayVector pieces;
  std::optional<PlainChunk> plain;                // else by `writer`
  std::unique_ptr<parquet::PageWriter> pager;     // of plain
  std::shared_ptr<parquet::ColumnWriter> writer;  // has its pager
  parquet::ColumnChunkMetaDataBuilder* metadata = nullptr;

  arrow::Status EncodeByArrow(parquet::ArrowWriterProperties* properties) {
    VIAND_ASSIGN_OR_RETURN(const auto values, Joined(pieces));
    parquet::ArrowWriteContext context(ProcessPool(), properties);
    const bool optional = column->max_definition_level() == 1;
    if (!optional && values->null_count() > 0)
      return arrow::Status::Invalid("column '", name, "' is declared not null and contains nulls");
    const std::vector<int16_t> levels =
        optional ? DefinitionLevels(*values) : std::vector<int16_t>();
    return writer->WriteArrow(optional ? levels.data() : nullptr, nullptr, values->length(),
                              *values, &context, optional);
  }
};

bool FlatParquet::Takes(const arrow::Schema& schema) {
  std::set<std::string> names;  // a choice of compression goes by the name
  return std::all_of(schema.fields().begin(), schema.fields().end(), [&](const auto& field) {
    return IsFlat(*field->type()) && names.insert(field->name()).second;
  });
}

arrow::Result<std::unique_ptr<FlatParquet>> FlatParquet::Open(
    const std::shared_ptr<arrow::Schema>& schema, std::shared_ptr<arrow::io::OutputStream> sink,
    std::shared_ptr<parquet::WriterProperties> properties,
    std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties) {
  std::unique_ptr<FlatParquet> file(
      new FlatParquet(schema, std::move(sink), std::move(properties), std::move(arrow_properties)));
  VIAND_RETURN_NOT_OK(file->Begin());
  return file;
}

FlatParquet::FlatParquet(std::shared_ptr<arrow::Schema> schema,
                         std::shared_ptr<arrow::io::OutputStream> sink,
                         std::shared_ptr<parquet::WriterProperties> properties,
                         std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties)
    : schema_(std::move(schema)),
      sink_(std::move(sink)),
      properties_(std::move(properties)),
      arrow_properties_(std::move(arrow_properties)) {}

arrow::Status FlatParquet::Begin() {
  VIAND_RETURN_NOT_OK(
      parquet::arrow::ToParquetSchema(schema_.get(), *properties_, *arrow_properties_, &columns_));
  page_index_ = parquet::PageIndexBuilder::Make(columns_.get());
  return sink_->Write("PAR1");
}

arrow::Status FlatParquet::Add(const std::shared_ptr<arrow::RecordBatch>& rows) {
  rows_.push_back(rows);
  return arrow::Status::OK();
}

arrow::Status FlatParquet::EndRowGroup() {
  const Batches rows = std::move(rows_);
  rows_.clear();
  return rows.empty() ? arrow::Status::OK() : Write(rows);
}

arrow::Status FlatParquet::WriteGroup(const arrow::Table& rows) {
  VIAND_RETURN_NOT_OK(EndRowGroup());
  VIAND_ASSIGN_OR_RETURN(rows_, arrow::TableBatchReader(rows).ToRecordBatches());
  return EndRowGroup();
}

arrow::Status FlatParquet::Write(const Batches& rows) {
  std::vector<Chunk> chunks(schema_->num_fields());
  int64_t count = 0;
  for (const auto& batch : rows) count += batch->num_rows();
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const auto& field = schema_->field(i);
    chunks[i].name = field->name();
    chunks[i].column = columns_->Column(i);
    for (const auto& batch : rows) chunks[i].pieces.push_back(batch->column(i));
    if (IsPlain(*field->type(), *chunks[i].column)) chunks[i].plain.emplace(chunks[i].column);
  }
  VIAND_RETURN_NOT_OK(ForEach(&chunks, count, [](Chunk* chunk) -> arrow::Status {
    if (!chunk->plain) return arrow::Status::OK();
    VIAND_RETURN_NOT_OK(chunk->plain->Encode(chunk->pieces, chunk->name));
    chunk->pieces.clear();
    return arrow::Status::OK();
  }));
  VIAND_RETURN_NOT_OK(Written());
  PARQUET_CATCH_NOT_OK(OpenChunks(&chunks, count));
  VIAND_RETURN_NOT_OK(ForEach(&chunks, count, [&](Chunk* chunk) {
    return chunk->plain ? arrow::Status::OK() : chunk->EncodeByArrow(arrow_properties_.get());
  }));
  auto held = std::make_shared<std::vector<Chunk>>(std::move(chunks));
  writing_ = std::async(std::launch::async, [this, held]() -> arrow::Status {
    PARQUET_CATCH_NOT_OK(WriteChunks(held.get()));
    return arrow::Status::OK();
  });
  return arrow::Status::OK();
}

arrow::Status FlatParquet::Written() {
  return writing_.valid() ? writing_.get() : arrow::Status::OK();
}

template <typename Encode>
arrow::Status FlatParquet::ForEach(std::vector<Chunk>* chunks, int64_t rows, Encode&& encode) {
  const auto count = static_cast<int>(chunks->size());
  return arrow::internal::OptionalParallelFor(
      count > 1 && rows * count >= kValuesWorthThreads, count,
      [&](int i) -> arrow::Status { PARQUET_CATCH_AND_RETURN(encode(&(*chunks)[i])); });
}

std::unique_ptr<parquet::FileMetaDataBuilder> FlatParquet::MetadataOf(
    const std::vector<Chunk>& chunks) const {
  parquet::WriterProperties::Builder properties(*properties_);
  for (const Chunk& chunk : chunks) {
    if (chunk.plain) properties.compression(chunk.column->path(), chunk.plain->codec());
  }
  return parquet::FileMetaDataBuilder::Make(columns_.get(), properties.build());
}

void FlatParquet::OpenChunks(std::vector<Chunk>* chunks, int64_t rows) {
  const int16_t ordinal = OrdinalOf(groups_.size());
  group_ = groups_.emplace_back(MetadataOf(*chunks))->AppendRowGroup();
  page_index_->AppendRowGroup();
  group_->set_num_rows(rows);
  for (int i = 0; i < schema_->num_fields(); ++i) {
    Chunk& chunk = (*chunks)[i];
    chunk.metadata = group_->NextColumnChunk();
    const auto codec =
        chunk.plain ? chunk.plain->codec() : properties_->compression(chunk.column->path());
    chunk.pager = parquet::PageWriter::Open(
        sink_, codec, chunk.metadata, ordinal, static_cast<int16_t>(i), ProcessPool(),
        /*buffered_row_group=*/!chunk.plain, nullptr, nullptr, properties_->page_checksum_enabled(),
        page_index_->GetColumnIndexBuilder(i), page_index_->GetOffsetIndexBuilder(i));
    if (!chunk.plain)
      chunk.writer =
          parquet::ColumnWriter::Make(chunk.metadata, std::move(chunk.pager), properties_.get());
  }
}

void FlatParquet::WriteChunks(std::vector<Chunk>* chunks) {
  int64_t bytes = 0;
  for (Chunk& chunk : *chunks) {
    if (chunk.plain)
      bytes += chunk.plain->WriteTo(chunk.pager.get(), chunk.metadata);
    else
      bytes += chunk.writer->Close();
  }
  group_->Finish(bytes, OrdinalOf(groups_.size() - 1));
}

arrow::Status FlatParquet::Close() {
  VIAND_RETURN_NOT_OK(EndRowGroup());
  VIAND_RETURN_NOT_OK(Written());
  PARQUET_CATCH_AND_RETURN(WriteEnd());
}

arrow::Result<std::shared_ptr<const arrow::KeyValueMetadata>> FlatParquet::FileMetadata() const {
  auto metadata = schema_->HasMetadata() ? schema_->metadata()->Copy()
                                         : std::make_shared<arrow::KeyValueMetadata>();
  // Without Arrow's own schema in it a reader would lose the zone of a timestamp.
  VIAND_ASSIGN_OR_RETURN(const auto serialized, arrow::ipc::SerializeSchema(*schema_));
  metadata->Append("ARROW:schema", arrow::util::base64_encode(std::string_view(*serialized)));
  return metadata;
}

arrow::Status FlatParquet::WriteEnd() {
  VIAND_ASSIGN_OR_RETURN(const auto metadata, FileMetadata());
  page_index_->Finish();
  const parquet::PageIndexBuilder::WriteResult written = page_index_->WriteTo(sink_.get());
  if (groups_.empty())
    groups_.push_back(parquet::FileMetaDataBuilder::Make(columns_.get(), properties_));
  std::vector<parquet::IndexLocations> columns(groups_.size()), offsets(groups_.size());
  // Each builder has one row group, the first of its own.
  for (const auto& [chunk, location] : written.column_index_locations)
    columns[chunk.row_group_index].push_back({{0, chunk.column_index}, location});
  for (const auto& [chunk, location] : written.offset_index_locations)
    offsets[chunk.row_group_index].push_back({{0, chunk.column_index}, location});
  std::unique_ptr<parquet::FileMetaData> file;
  for (size_t i = 0; i < groups_.size(); ++i) {
    groups_[i]->SetIndexLocations(parquet::IndexKind::kColumnIndex, columns[i]);
    groups_[i]->SetIndexLocations(parquet::IndexKind::kOffsetIndex, offsets[i]);
    auto group = groups_[i]->Finish(i == 0 ? metadata : nullptr);
    if (i == 0)
      file = std::move(group);
    else
      file->AppendRowGroups(*group);
  }
  parquet::WriteFileMetaData(*file, sink_.get());
  return arrow::Status::OK();
}

}  // namespace viand
