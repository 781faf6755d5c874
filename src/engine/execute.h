// Runs plans: cuts them into fragments, hands these to an Executor, puts the parts together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/progress.h"
#include "src/engine/plan.h"

namespace arrow {
class RecordBatchReader;
class Schema;
}  // namespace arrow

namespace viand::engine {

class Executor;      // executor.h; implementations in src/distributed
class PlanCounters;  // plan_counters.h
class SnapshotRows;  // snapshot_rows.h

struct ExecuteOptions {
  Executor* executor = nullptr;  ///< required
  int partitions = 0;            ///< 0: by size and cores; the result does not depend on it
  int64_t batch_rows = 0;  ///< rows a scan batch; 0: default. The result does not depend on it
  int64_t chunk_rows = 0;  ///< rows of a result that are put together at a time; 0: by memory
  /// A fragment of window aggregates that would take more bytes, by estimate, is cut by time where
  /// that helps; 0: by memory. The result does not depend on it
  int64_t cut_bytes = 0;
  /// Features or events of a lookup that take at most so many bytes, by estimate, are sent whole to
  /// where the spine is read; 0: by memory where fragments run elsewhere and `partitions` is not
  /// set, else none; negative: none. The result does not depend on it
  int64_t broadcast_bytes = 0;
  /// A grid whose source takes at most so many bytes, by estimate, is computed and stored by tasks
  /// that each read the source themselves; 0: by memory and work where fragments run elsewhere and
  /// `partitions` is not set, else none; negative: none. The result does not depend on it
  int64_t chain_bytes = 0;
  Progress* progress = Progress::Silent();
  PlanCounters* counters = nullptr;  ///< what its operators did; null: not counted
};

/// Spine columns untouched, in spine order, exactly one row a spine row, then the lookups' outputs
/// in order. A name that appears twice is kDefinition, naming both origins. When it returns, all is
/// found; rows are put together as they are read. What `options` names must outlive the reader.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> RetrieveRows(
    const RetrievalPlan& plan, const ExecuteOptions& options);

/// A file that a fragment wrote.
struct PartFile {
  std::string path;
  int64_t rows = 0;
  int64_t bytes = 0;
};

/// A result in files: together, in order, its rows.
struct PartFiles {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<PartFile> files;
};

/// The rows of RetrieveRows as Parquet files part-00000.parquet, part-00001.parquet ... of
/// `folder`, absolute, which is there, written by fragments: no row passes through the driver but
/// those of a spine that is in its memory. How the rows are cut depends on the rows alone. Each
/// file appears whole; after a failure some may be there.
arrow::Result<PartFiles> RetrieveToFolder(const RetrievalPlan& plan, const std::string& folder,
                                          const ExecuteOptions& options);

/// The rows of RetrieveRows as tables that the executor holds: a spine for another plan, of which
/// no row passes through the driver but those of a spine that is in its memory.
arrow::Result<std::shared_ptr<const HeldRows>> RetrieveHeld(const RetrievalPlan& plan,
                                                            const ExecuteOptions& options);

/// Runs a retrieval for its counters; rows are dropped where they are put together, a few at a
/// time.
arrow::Status RetrieveAndDrop(const RetrievalPlan& plan, const ExecuteOptions& options);

/// The rows of RetrieveRows, whole.
arrow::Result<std::shared_ptr<arrow::Table>> Retrieve(const RetrievalPlan& plan,
                                                      const ExecuteOptions& options);

/// Keys, event_timestamp (timestamp[us, UTC]), features; ordered by (event_timestamp, keys).
arrow::Result<std::shared_ptr<arrow::Table>> Backfill(const BackfillPlan& plan,
                                                      const ExecuteOptions& options);

/// Tells whether views differ at most in their filters, windows and features, so that one pass
/// over the source does for both.
bool ShareAPass(const WindowView& a, const WindowView& b);

/// Backfills views that share a pass: the same rows as of each plan alone, in order of the plans.
/// Where one view fails all do; one may fail on a row that only another reads, and not fail alone.
arrow::Result<std::vector<SnapshotRows>> BackfillTogether(const std::vector<BackfillPlan>& plans,
                                                          const ExecuteOptions& options);

/// The rows of BackfillTogether, those of each cutoff of each plan in the file of that place in
/// `paths`: the bytes that PartStore writes. Fragments write them: no row passes through the
/// driver.
arrow::Result<std::vector<std::vector<PartFile>>> BackfillToFiles(
    const std::vector<BackfillPlan>& plans, const std::vector<std::vector<std::string>>& paths,
    const ExecuteOptions& options);

/// Prints a plan as indented text; a retrieval's is explain.h's.
std::string ToString(const BackfillPlan& plan);

}  // namespace viand::engine
