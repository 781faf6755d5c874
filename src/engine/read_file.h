// Opens data files by path or URI, and reads the formats that a scan knows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/engine/fragment.h"

namespace arrow {
class Buffer;
class MemoryPool;
class RecordBatch;
namespace io {
class RandomAccessFile;
}
namespace ipc {
class RecordBatchFileReader;
}
}  // namespace arrow

namespace viand::engine {

/// Opens a local path (absolute) or an address of a store. A missing file is kInput, naming it and
/// `described_as`.
arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenDataFile(
    const std::string& path, const std::string& described_as);

/// Opens an Arrow IPC file (Feather version 2).
arrow::Result<std::shared_ptr<arrow::ipc::RecordBatchFileReader>> OpenIpcFile(
    const std::string& path, const std::string& described_as);

/// Gets the place of the batch's first row among the rows of the part, and the batch.
using BatchVisitor =
    std::function<arrow::Status(int64_t first_row, const std::shared_ptr<arrow::RecordBatch>&)>;

/// Tells whether a row group is wanted: the place of its first row in the part, and its rows.
using GroupFilter = std::function<bool(int64_t first_row, int64_t rows)>;

struct ReadOptions {
  int64_t batch_rows = 0;  ///< most rows a batch; at least 1
  bool decode_in_parallel = false;
  /// Parallel to the columns: texts of Parquet that come as dictionaries. Empty: none do.
  std::vector<bool> coded = {};
  /// Row groups (record batches of IPC) to read; the others are passed over. Empty: all.
  GroupFilter wanted = {};
  arrow::MemoryPool* pool = nullptr;  ///< not null
};

struct PlacedBatch {
  int64_t first_row = 0;                      ///< among the rows of the part
  std::shared_ptr<arrow::RecordBatch> batch;  ///< null at the end
};

/// The rows of a part in order, a batch whenever one is asked for.
class PartReader {
 public:
  virtual ~PartReader() = default;
  virtual arrow::Result<PlacedBatch> Next() = 0;
  /// The rows that were given out or passed over; after the end all of the part's.
  virtual int64_t rows() const = 0;
};

/// Opens a part, to read the named columns (by name in the file, or of the part's constants) in the
/// order of `columns`.
arrow::Result<std::unique_ptr<PartReader>> OpenFilePart(const FilePart& part,
                                                        const std::vector<std::string>& columns,
                                                        const std::string& described_as,
                                                        const ReadOptions& options);

/// Visits the rows of a part in order, with the named columns as OpenFilePart. Returns the number
/// of the part's rows, with those that were passed over.
arrow::Result<int64_t> ReadFilePart(const FilePart& part, const std::vector<std::string>& columns,
                                    const std::string& described_as, const ReadOptions& options,
                                    const BatchVisitor& visit);

}  // namespace viand::engine
