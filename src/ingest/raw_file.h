// One raw file of any format as chunks: read in order by one thread, scanned by any.
//
//   auto file = RawFile::Open(path, dataset.from);  file->Select(names);
//   while (chunk = file->Next()) table = file->Scan(*chunk);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/definition/model.h"
#include "src/ingest/cell_table.h"
#include "src/ingest/chunk_reader.h"

namespace arrow {
class DataType;
}

namespace viand::ingest {

enum class RawFormat { kWorkbook, kCsv, kJson, kParquet };

/// Tells the format by its declared name, or where that is empty by the path's extension.
arrow::Result<RawFormat> FormatOf(const std::string& path, const std::string& declared);

struct RawFileOptions {
  bool skip_bad_rows = false;  ///< a CSV row of another length, a line that is no JSON
  int64_t chunk_bytes = 0;     ///< 0: kChunkBytes; tests make it tiny
};

class RawFile {
 public:
  /// Opens a file by `input.format` or its extension and reads its header.
  static arrow::Result<std::unique_ptr<RawFile>> Open(const std::string& path,
                                                      const definition::DatasetInput& input,
                                                      const RawFileOptions& options = {});
  virtual ~RawFile() = default;

  const std::string& path() const { return path_; }
  /// The columns in the file's order, nameless ones empty; JSON has none.
  const std::vector<std::string>& header() const { return header_; }
  virtual bool has_header() const { return true; }
  /// Parquet: the type of a column of the header. Null: only the cells tell.
  virtual std::shared_ptr<arrow::DataType> TypeOf(size_t index) const;

  /// Chooses the columns of the tables that Scan makes. A name that the header lacks or has twice
  /// is kInput with the nearest name. JSON takes an empty choice for all.
  virtual arrow::Status Select(const std::vector<std::string>& names) = 0;

  /// Returns the next chunk; null at the end. One thread at a time.
  virtual arrow::Result<std::unique_ptr<Chunk>> Next() = 0;
  /// Finds the cells of a chunk. Any thread.
  virtual CellTable Scan(const Chunk& chunk) const = 0;

  /// What relative row numbers are added to in the first chunk.
  int64_t first_base() const { return first_base_; }
  /// Tells whether a file that ends before a table says end_of_data is cut off.
  virtual bool expects_end_of_data() const { return false; }
  /// Names the file for errors: `sales.xlsx, sheet "2011"`.
  virtual std::string Describe() const { return path_; }
  /// Names a cell: `, cell B17 (row 17, column "Quantity")` or `, line 17, column "Quantity"`.
  /// `column` is of the choice.
  virtual std::string DescribePlace(int64_t row, int column) const;
  virtual std::string DescribeRow(int64_t row) const;

 protected:
  explicit RawFile(std::string path) : path_(std::move(path)) {}
  /// Resolves names against the header; `slots` becomes, for each column of the header, its place
  /// in `names` or -1.
  arrow::Status ResolveNames(const std::vector<std::string>& names, std::vector<int>* slots);

  const std::string path_;
  std::vector<std::string> header_;
  std::vector<std::string> selected_;
  int64_t first_base_ = 0;
};

arrow::Result<std::unique_ptr<RawFile>> OpenSheetFile(const std::string& path,
                                                      const definition::DatasetInput& input,
                                                      const RawFileOptions& options);
arrow::Result<std::unique_ptr<RawFile>> OpenCsvFile(const std::string& path,
                                                    const definition::DatasetInput& input,
                                                    const RawFileOptions& options);
arrow::Result<std::unique_ptr<RawFile>> OpenJsonFile(const std::string& path,
                                                     const RawFileOptions& options);
arrow::Result<std::unique_ptr<RawFile>> OpenParquetFile(const std::string& path);

/// Refuses a text whose first bytes are those of UTF-16.
arrow::Status RefuseUtf16(const std::string& path, std::string_view start);

/// Opens a text file as bytes, through gzip where it starts as gzip does.
arrow::Result<std::unique_ptr<ByteStream>> OpenTextStream(const std::string& path);

}  // namespace viand::ingest
