// The spine of a retrieval. Every column of it is in the result, untouched and in order, so its
// rows are read twice: keys and times to look features up by, and all of it where the result is put
// together. A small one is kept in memory between the two.
//
//   VIAND_ASSIGN_OR_RETURN(Spine spine, OpenSpine(plan, {"user_id"}, csv_types, options));
//   VIAND_ASSIGN_OR_RETURN(OpenedScan keys, KeysOf(spine, {"user_id"}, types));
//   SpineReader reader(spine, options);
//   VIAND_ASSIGN_OR_RETURN(auto first, reader.Read(64 * 1024));
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/file_rows.h"
#include "src/engine/key_bounds.h"
#include "src/engine/open_scan.h"

namespace viand::engine {

struct Spine {
  OpenedScan scan;  ///< its schema is that of the rows as they will be returned
  int64_t rows = 0;
  std::string time;                       ///< name of its time column
  TimeRange range;                        ///< of its times
  std::map<std::string, KeySample> keys;  ///< of the columns that views are looked up by
  std::string described_as;

  const arrow::Schema& schema() const { return *scan.schema; }
};

/// Opens the rows that pass the scan's filter. `keys` are looked at where they exist. `csv_types`
/// as OpenScan. A missing time column names the nearest; one that is no time says how to make it
/// one.
arrow::Result<Spine> OpenSpine(
    const RetrievalPlan& plan, const std::vector<std::string>& keys,
    const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types,
    const ExecuteOptions& options);

/// What of a spine is dealt out to be looked up by.
struct SpineKeys {
  OpenedScan scan;
  std::vector<std::string> keys;
  std::string time;
};

/// Returns the spine as a scan of its keys and times. A column of nulls without a type gets the one
/// of `types`, parallel to `keys`.
arrow::Result<SpineKeys> KeysOf(const Spine& spine, const std::vector<std::string>& keys,
                                const std::vector<std::shared_ptr<arrow::DataType>>& types);

/// Where the rows of a spine in files are, all columns.
FileColumns FileColumnsOf(const Spine& spine);

/// Row groups of a spine in files that have any of some rows, and more before and behind these. At
/// least one part, of a spine without rows its first without row groups.
struct PartsOfRows {
  std::vector<FilePart> parts;
  int64_t skipped_rows = 0;  ///< of `parts`, before the first that is wanted
};
PartsOfRows PartsWith(const Spine& spine, int64_t first_row, int64_t rows);

/// The spine's rows in order, as many at a time as are asked for.
class SpineReader {
 public:
  SpineReader(const Spine& spine, const ExecuteOptions& options);

  /// The next rows, all columns: fewer than `rows` at the end alone.
  arrow::Result<std::shared_ptr<arrow::Table>> Read(int64_t rows);

 private:
  const std::shared_ptr<arrow::Table> table_;  // null: in files
  FileRows files_;
  int64_t next_row_ = 0;  // of table_
};

}  // namespace viand::engine
