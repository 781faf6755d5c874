// A column's values in a row group of a Parquet file, as they are: for numbers of fixed width,
// which most features are. The validity bits are the definition levels (one bit-packed run), values
// go from Arrow's memory to the page in one copy, and snappy is used where it saves something:
// numbers that are as good as random cost a reader nothing to decompress.
//
//   PlainChunk chunk(column);
//   VIAND_RETURN_NOT_OK(chunk.Encode(pieces, "price"));   // on any thread
//   chunk.WriteTo(pager.get(), metadata);                 // in the file's order
#pragma once

#include <parquet/column_page.h>
#include <parquet/column_writer.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace viand {

/// Whether values of an Arrow type lie in memory as they do in pages of this column.
bool IsPlain(const arrow::DataType& type, const parquet::ColumnDescriptor& column);

/// Not thread-safe. `column` must outlive it.
class PlainChunk {
 public:
  explicit PlainChunk(const parquet::ColumnDescriptor* column) : column_(column) {}

  /// Makes the pages of all rows, which come in pieces whose borders do not show. `name` is the
  /// column's in errors. May throw what Parquet's library throws.
  arrow::Status Encode(const std::vector<std::shared_ptr<arrow::Array>>& pieces,
                       const std::string& name);

  parquet::Compression::type codec() const { return codec_; }

  /// Writes the pages, and their statistics into the chunk's metadata; returns how many bytes they
  /// have uncompressed. Throws where the sink fails.
  int64_t WriteTo(parquet::PageWriter* pager, parquet::ColumnChunkMetaDataBuilder* metadata) const;

 private:
  /// Row groups are 64 Ki rows: a page is what a reader skips by the page index.
  static constexpr int64_t kPageRows = 16 << 10;

  template <typename Type>
  arrow::Status EncodePages(const std::vector<std::shared_ptr<arrow::Array>>& pieces,
                            const std::string& name);
  arrow::Status Compress();

  const parquet::ColumnDescriptor* const column_;
  std::vector<parquet::DataPageV1> pages_;
  parquet::EncodedStatistics statistics_;
  parquet::SizeStatistics level_counts_;
  parquet::Compression::type codec_ = parquet::Compression::UNCOMPRESSED;
};

}  // namespace viand
