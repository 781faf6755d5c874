// Cuts a scan into map fragments and runs them: the first stage of every plan.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/executor.h"
#include "src/engine/key_bounds.h"
#include "src/engine/open_scan.h"

namespace viand::engine {

/// What to take from a scan. Columns are names of the scan; `columns` are put out in this order.
struct MapRequest {
  std::vector<std::string> columns;
  std::vector<std::string> keys;  ///< hashed
  /// Columns whose values are only compared: texts of Parquet files come as dictionaries.
  std::vector<std::string> compared_only;
  bool drop_null_keys = false;
  std::string filter;       ///< SQL
  std::string time_column;  ///< of `range`
  TimeRange range;
  std::vector<KeyBound> key_bounds;  ///< rows with other keys may be left out
  /// Adds a last column int64. The row groups of files must be of known numbers of rows.
  bool row_numbers = false;
  bool positions = false;  ///< adds a last column int32: places in what one fragment reads
  int partitions = 1;
  OperatorId operation = {OperatorKind::kScan};  ///< what the stage is counted as
  /// Tables with one column a key of `keys`: rows with other keys may be left out. Empty: none may.
  std::vector<TableReference> wanted_keys = {};
};

/// References to the tables of one partition, in row order.
using PartitionInputs = std::vector<TableReference>;

/// Rows of all the tables.
int64_t RowsOf(const PartitionInputs& tables);

/// What one map fragment reads: row groups of files, or rows of the table in memory.
struct ScanSlice {
  std::vector<FilePart> parts;
  int64_t first_row = 0;
  int64_t rows = 0;
};

struct MapOutputs {
  std::shared_ptr<arrow::Schema> schema;  ///< of every table, without row numbers
  std::vector<PartitionInputs> partitions;
  std::vector<ScanSlice> slices;  ///< parallel to the tables of a partition
  ScanCount found, left;          ///< what the scan had, and what of it was read
};

/// The fragments of a map stage, before they run.
struct PlannedMap {
  std::string name;  ///< of the stage
  std::vector<FragmentCall> calls;
  MapOutputs outputs;  ///< without tables
};

/// Prunes `scan` and cuts what is left. There is at least one fragment where `row_numbers` is set,
/// so that a spine without rows still has its schema.
arrow::Result<PlannedMap> PlanMapStage(OpenedScan* scan, const MapRequest& request,
                                       const ExecuteOptions& options);

/// Plans a stage and runs its fragments.
arrow::Result<MapOutputs> RunMapStage(OpenedScan* scan, const MapRequest& request,
                                      const ExecuteOptions& options);

/// Tells whether fragments run on other machines, where each table that one hands to another costs.
bool RunsElsewhere(const ExecuteOptions& options);

/// Of a text, with its offset, where nobody looked at any.
inline constexpr int64_t kTypicalTextBytes = 32;

/// An estimate of what a row of the columns takes in memory, at least 1.
int64_t RowBytes(const arrow::Schema& columns);

/// The same of columns of a scan, by their names there: texts and lists as long as its footers, or
/// its table, say.
int64_t RowBytesIn(const OpenedScan& scan, const arrow::Schema& columns);

/// How many rows of so many bytes each of the reduce fragments that run at a time may hold; at
/// least one.
int64_t RowsPerFragmentInMemory(int64_t row_bytes, const ExecuteOptions& options);

struct InputSize {
  int64_t rows = 0;
  int64_t bytes = 0;
};

/// Chooses the number of partitions for the greatest of several inputs: options.partitions where it
/// is set; one where there is too little to do; else so many that every core has work, a
/// partition's columns fit a cache, and the partitions that run at a time fit the executor's
/// memory.
int ChoosePartitionCount(const InputSize& most, const ExecuteOptions& options);

}  // namespace viand::engine
