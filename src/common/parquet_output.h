// Tables -> a Parquet file (Arrow's schema inside) that appears whole or not at all.
//
//   VIAND_ASSIGN_OR_RETURN(auto output, ParquetOutput::Open(path, schema));
//   VIAND_RETURN_NOT_OK(output->Write(*batch));  ...
//   VIAND_RETURN_NOT_OK(output->Commit());
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "src/common/atomic_output.h"
#include "src/common/row_groups.h"

namespace arrow {
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace viand {

enum class ParquetEncoding {
  kCompact,  ///< zstd, dictionaries: for what is read often, or by others
  kQuick,    ///< snappy where it saves something, numbers as they are: for many small files, where
           ///< zstd's working memory and dictionaries cost more than the rest of the encoding, and
           ///< for results on demand
};

struct ParquetOptions {
  ParquetEncoding encoding = ParquetEncoding::kCompact;
  std::optional<int> zstd_level;  ///< the library's own where it is not said
  std::string created_by;         ///< empty: the library's name
  int sorted_by = -1;             ///< column that the rows are sorted by, nulls last; -1: none
  bool micros = false;            ///< timestamps of any unit become microseconds
};

/// Not thread-safe. Errors name the path, the reason and what to do. Without Commit nothing is left
/// behind.
class ParquetOutput {
 public:
  static arrow::Result<std::unique_ptr<ParquetOutput>> Open(
      const std::string& path, const std::shared_ptr<arrow::Schema>& schema,
      const ParquetOptions& options = {});
  ~ParquetOutput();

  arrow::Status Write(const arrow::RecordBatch& batch);
  arrow::Status Write(const arrow::Table& table);
  /// Ends the file where it lies, temporary_path(); nothing can be written any more.
  arrow::Status Close();
  /// Ends the file and makes it visible; returns its size.
  arrow::Result<int64_t> Commit();
  /// Commit in steps: Sync ends the file and forces it to disk under its temporary name, Rename
  /// makes it visible; the caller syncs the folder.
  arrow::Status Sync();
  arrow::Status Rename() { return output_->Rename(); }

  const std::string& temporary_path() const { return output_->temporary_path(); }

 private:
  ParquetOutput(std::shared_ptr<AtomicOutput> output, std::unique_ptr<RowGroupOutput> writer);

  const std::shared_ptr<AtomicOutput> output_;
  std::unique_ptr<RowGroupOutput> writer_;  // null once closed
  RowGroups groups_;
};

/// Writes a whole table.
arrow::Status WriteParquet(const std::shared_ptr<arrow::Table>& table, const std::string& path,
                           const ParquetOptions& options = {});

}  // namespace viand
