// A Parquet file of columns that are no lists or structs: numbers as PlainChunk has them, all else
// by Arrow's column writers with snappy. What parquet::arrow::FileWriter makes of the same rows
// reads the same and takes three times the CPU: it goes over every value and level several times,
// one by one.
//
//   if (FlatParquet::Takes(*schema)) { VIAND_ASSIGN_OR_RETURN(auto file, FlatParquet::Open(...)); }
#pragma once

#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>

#include <future>
#include <memory>
#include <vector>

#include "src/common/error.h"
#include "src/common/row_groups.h"

namespace arrow {
class KeyValueMetadata;
class Schema;
namespace io {
class OutputStream;
}
}  // namespace arrow

namespace viand {

/// Not thread-safe; columns are encoded on Arrow's threads, and a row group goes to the sink while
/// the next is encoded. Holds the row group that was begun, as it came, until the next.
class FlatParquet final : public RowGroupOutput {
 public:
  /// Whether it can write such columns; all others are for parquet::arrow::FileWriter.
  static bool Takes(const arrow::Schema& schema);

  /// `properties` hold for all columns but those of PlainChunk, which choose their compression.
  static arrow::Result<std::unique_ptr<FlatParquet>> Open(
      const std::shared_ptr<arrow::Schema>& schema, std::shared_ptr<arrow::io::OutputStream> sink,
      std::shared_ptr<parquet::WriterProperties> properties,
      std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties);

  arrow::Status Add(const std::shared_ptr<arrow::RecordBatch>& rows) override;
  arrow::Status EndRowGroup() override;
  arrow::Status WriteGroup(const arrow::Table& rows) override;
  arrow::Status Close() override;

 private:
  using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;
  struct Chunk;

  FlatParquet(std::shared_ptr<arrow::Schema> schema, std::shared_ptr<arrow::io::OutputStream> sink,
              std::shared_ptr<parquet::WriterProperties> properties,
              std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties);

  arrow::Status Begin();
  arrow::Status Write(const Batches& rows);
  std::unique_ptr<parquet::FileMetaDataBuilder> MetadataOf(const std::vector<Chunk>& chunks) const;
  void OpenChunks(std::vector<Chunk>* chunks, int64_t rows);
  void WriteChunks(std::vector<Chunk>* chunks);
  /// Waits for the row group that goes to the sink, if any.
  arrow::Status Written();
  /// Calls encode(chunk) for every chunk, on Arrow's threads where it is worth it.
  template <typename Encode>
  static arrow::Status ForEach(std::vector<Chunk>* chunks, int64_t rows, Encode&& encode);
  arrow::Status WriteEnd();
  arrow::Result<std::shared_ptr<const arrow::KeyValueMetadata>> FileMetadata() const;

  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<arrow::io::OutputStream> sink_;
  const std::shared_ptr<parquet::WriterProperties> properties_;
  const std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties_;
  std::shared_ptr<parquet::SchemaDescriptor> columns_;
  std::unique_ptr<parquet::PageIndexBuilder> page_index_;
  /// One a row group, since in each a column has its own choice of compression.
  std::vector<std::unique_ptr<parquet::FileMetaDataBuilder>> groups_;
  parquet::RowGroupMetaDataBuilder* group_ = nullptr;  // the last
  Batches rows_;                                       // of the group that was begun
  /// Last, so that its end is waited for before anything else is gone.
  std::future<arrow::Status> writing_;
};

}  // namespace viand
