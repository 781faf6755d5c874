// All tables of cells of a dataset's files: in parallel out of chunks, handed over in order, as one
// pass would find them. Chunks that turned out to end within a row are joined with the next and
// scanned again; row numbers become those of the file; a bad row becomes an error with its place.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/common/progress.h"
#include "src/definition/model.h"
#include "src/ingest/cell_table.h"
#include "src/ingest/raw_file.h"

namespace viand::ingest {

/// What a worker makes of a table; it may be thrown away and made again.
class TableWork {
 public:
  virtual ~TableWork() = default;
};

struct TableScanOptions {
  std::vector<std::string> files;
  const definition::Dataset* dataset = nullptr;
  /// Chooses the columns of a file, once its header is known.
  std::function<arrow::Status(RawFile*)> select;
  /// Runs on workers; null: nothing to do there.
  std::function<std::unique_ptr<TableWork>(const RawFile&, const CellTable&)> work;
  /// Runs on the caller's thread, in order. `base` is to be added to relative row numbers.
  std::function<arrow::Status(const RawFile&, const CellTable&, int64_t base,
                              std::unique_ptr<TableWork>)>
      consume;
  Progress* progress = Progress::Silent();
  int workers = 0;          ///< 0: one a core
  int64_t chunk_bytes = 0;  ///< 0: kChunkBytes
};

struct TableScanReport {
  int64_t bytes_read = 0;
  int64_t skipped_rows = 0;
};

/// Files must have the same columns, in any order: kInput names the file and the column.
arrow::Result<TableScanReport> ScanTables(const TableScanOptions& options);

/// Returns a row's number in the file.
inline int64_t RowNumber(const CellTable& table, int64_t row, int64_t base) {
  return table.row_numbers[row] + (row < table.relative_rows ? base : 0);
}

}  // namespace viand::ingest
