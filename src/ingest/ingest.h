// Raw files -> a clean typed Parquet table, as a dataset definition says: types are checked, then
// `where`, then `columns`; rows are sorted by time. Bounded memory but for the sort; decompression,
// parsing, column building and writing overlap on the cores.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/progress.h"
#include "src/definition/validation.h"

namespace viand::ingest {

struct IngestOptions {
  std::string root;     ///< of the repo: relative paths start here
  std::string sort_by;  ///< output timestamp column; empty: keep the order of the files
  std::string created_by = "viand";
  Progress* progress = Progress::Silent();
};

struct IngestReport {
  std::vector<std::string> files;  ///< absolute, in the order read
  int64_t rows_read = 0;
  int64_t rows_skipped = 0;   ///< on_error: skip
  int64_t cells_nulled = 0;   ///< on_error: null
  int64_t rows_filtered = 0;  ///< by `where`
  int64_t rows_written = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  std::shared_ptr<arrow::Schema> schema;  ///< of the output
};

/// Expands the dataset's paths and globs to absolute files in order of name; a pattern that matches
/// nothing is kInput.
arrow::Result<std::vector<std::string>> InputFiles(const definition::Dataset& dataset,
                                                   const std::string& root);

/// Finds the types of the raw columns that `types` does not declare by reading all files; header
/// and order as in the files.
arrow::Result<std::shared_ptr<arrow::Schema>> InferRawSchema(const definition::Dataset& dataset,
                                                             const std::string& root);

/// Returns the columns of a raw file where its header alone tells them: a Parquet file's with their
/// types, a CSV file's as expression::UnknownType; null for workbooks and JSON lines.
arrow::Result<std::shared_ptr<arrow::Schema>> HeaderOf(const std::string& path,
                                                       const definition::DatasetInput& input);

/// Reads, converts, and writes dataset.to atomically (zstd, row groups of at most 1 Mi rows).
arrow::Result<IngestReport> Ingest(const definition::BoundDataset& dataset,
                                   const IngestOptions& options);

}  // namespace viand::ingest
