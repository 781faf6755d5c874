// A scan whose files have been looked into: their schemas, where their rows are, what a predicate
// lets it skip.
//
//   VIAND_ASSIGN_OR_RETURN(OpenedScan scan, OpenScan(plan.source));
//   // The columns, or the error that names file and column.
//   VIAND_ASSIGN_OR_RETURN(auto columns, SelectColumns(scan, {"account", "amount"}));
//   PruneGroups(&scan, filter, "at", range);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/engine/plan.h"
#include "src/engine/time_range.h"
#include "src/expression/expression.h"

namespace arrow::dataset {
class ParquetFileFragment;
}

namespace viand::engine {

/// Row groups of a Parquet file, record batches of an IPC file.
struct RowGroup {
  int index = 0;
  int64_t rows = 0;  ///< of IPC: the file's mean, which only decides how finely to cut
};

struct OpenedFile {
  std::string path;
  std::shared_ptr<arrow::Schema> schema;  ///< the file's own names and types
  std::vector<RowGroup> groups;           ///< those still to be read, in order
  std::shared_ptr<arrow::dataset::ParquetFileFragment> parquet;  ///< null for IPC
};

/// Files, or a table in memory (which is what CSV becomes: only the whole text tells a column's
/// type).
struct OpenedScan {
  std::shared_ptr<arrow::Schema> schema;  ///< after renames, the source's types
  std::vector<std::pair<std::string, std::string>> renames;
  std::string described_as;
  FileFormat format = FileFormat::kParquet;
  std::vector<OpenedFile> files;
  std::shared_ptr<arrow::Table> table;  ///< the names of the file; null with `files`

  /// Rows left to read.
  int64_t RowCount() const;
  /// The name in the files of a column known here as `name`.
  std::string NameInFile(const std::string& name) const;
};

/// Opens every file (footers only, CSV whole). A missing or damaged file is an error that names it
/// and the source; so are files whose schemas cannot be one. `csv_types` gives types to CSV columns
/// by name in the file, before the scan's own; others are inferred.
arrow::Result<OpenedScan> OpenScan(
    const Scan& scan,
    const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types = {});

/// Returns the named columns' fields with plain types. A column that is missing, or whose type in
/// some file cannot become the scan's, is kInput, naming file, column and the nearest name.
arrow::Result<std::shared_ptr<arrow::Schema>> SelectColumns(const OpenedScan& scan,
                                                            const std::vector<std::string>& names);

/// Drops row groups whose statistics show that no row passes `filter` (null: all pass) or lies in
/// `range`.
void PruneGroups(OpenedScan* scan, const expression::ExpressionPtr& filter,
                 const std::string& time_column, const TimeRange& range);

}  // namespace viand::engine
