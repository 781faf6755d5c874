// A scan whose files have been looked into: their schemas, and where their rows are.
//
//   VIAND_ASSIGN_OR_RETURN(OpenedScan scan, OpenScan(plan.source));
//   // The columns, or the error that names file and column.
//   VIAND_ASSIGN_OR_RETURN(auto columns, SelectColumns(scan, {"account", "amount"}));
//   PruneGroups({.filter = filter, .time_column = "at", .range = range}, &scan);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/common/data_files.h"
#include "src/engine/fragment.h"
#include "src/engine/plan.h"

namespace arrow {
class RecordBatch;
}
namespace parquet {
class FileMetaData;
}

namespace viand::engine {

class Executor;  // executor.h

/// Row groups of a Parquet file, record batches of an IPC file.
struct RowGroup {
  int index = 0;
  int64_t rows = 0;   ///< of IPC: the file's mean, which only decides how finely to cut
  int64_t bytes = 0;  ///< compressed, of all columns; of IPC: 0
};

/// How much of a scan there is.
struct ScanCount {
  int64_t files = 0;
  int64_t groups = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
};

struct OpenedFile {
  std::string path;
  ListedFile listed;                               ///< as it was when it was opened
  std::shared_ptr<arrow::Schema> in_file;          ///< the file's own names and types
  std::shared_ptr<arrow::Schema> schema;           ///< what is read of it: with its constants
  std::shared_ptr<arrow::RecordBatch> constants;   ///< FilePart::constants
  std::vector<RowGroup> groups;                    ///< those still to be read, in order
  std::shared_ptr<parquet::FileMetaData> parquet;  ///< null for IPC
};

/// Files, a table in memory (which is what CSV becomes: only the whole text tells a column's type),
/// or rows that an executor holds.
struct OpenedScan {
  std::shared_ptr<arrow::Schema> schema;  ///< after renames, the source's types
  std::vector<std::pair<std::string, std::string>> renames;
  std::string described_as;
  FileFormat format = FileFormat::kParquet;
  std::vector<OpenedFile> files;
  std::shared_ptr<arrow::Table> table;   ///< the names of the file; null with `files`
  std::shared_ptr<const HeldRows> held;  ///< null with `files` and `table`
  ScanCount found, left;  ///< before and after PruneGroups: the difference is what was skipped

  /// Rows left to read.
  int64_t RowCount() const;
  /// The name in the files of a column known here as `name`.
  std::string NameInFile(const std::string& name) const;
};

/// Opens every file (footers only, CSV whole). A missing or damaged file is an error that names it
/// and the source. Without a schema of its own the scan has the columns of all files, each of the
/// widest type that a file has it in. `csv_types` gives types to CSV columns
/// by name in the file, before the scan's own; others are inferred. `executor` says where a CSV
/// file is held; null: in memory.
arrow::Result<OpenedScan> OpenScan(
    const Scan& scan, const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types = {},
    const Executor* executor = nullptr);

/// Returns the named columns' fields with plain types. A column that is missing, or whose type in
/// some file cannot become the scan's, is kInput, naming file, column and the nearest name.
arrow::Result<std::shared_ptr<arrow::Schema>> SelectColumns(const OpenedScan& scan,
                                                            const std::vector<std::string>& names);

/// Fails (kInput) where a file was written anew since it was opened. A plan reads a file more than
/// once, keys first and features last, and of two states of it would make rows that neither has.
arrow::Status CheckUnchanged(const OpenedScan& scan);

/// What of a file is still to be read, for a fragment.
FilePart PartOf(const OpenedScan& scan, const OpenedFile& file);

}  // namespace viand::engine
