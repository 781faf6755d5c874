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

/// Visits the rows of a part in order, with the named columns (by name in the file, or of the
/// part's constants) in the order of `columns`. Returns the number of the part's rows, with those
/// that were passed over.
arrow::Result<int64_t> ReadFilePart(const FilePart& part, const std::vector<std::string>& columns,
                                    const std::string& described_as, const ReadOptions& options,
                                    const BatchVisitor& visit);

}  // namespace viand::engine
