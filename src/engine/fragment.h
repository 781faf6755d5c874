// A piece of a plan that runs on its own: on a thread, in a fresh process, on another machine.
//
// A map fragment scans a part of a table and deals its rows out to partitions by the hash of their
// keys; a reduce fragment joins or aggregates one partition; a gather fragment fetches the columns
// of the rows that a join found; a broadcast fragment does all of that for a chunk of the spine; a
// write fragment makes a file of the result; a chain is several of these, one after another; an
// arrange fragment orders rows. A fragment is plain data (fragment_message.h serializes it) and,
// with the tables that it takes in, determines its outputs: ExecuteFragment (execute_fragment.h) is
// a pure function.
//
// Inside fragments columns are plain: no dictionaries, run-end encoding or views (plain_array.h),
// because the encoding would depend on which rows shared a batch. But for texts that are only
// compared: they may be CodedType, whose codes no result shows. Rows of several map fragments, in
// the order of the fragments, are in the order of the source.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/engine/plan.h"
#include "src/engine/row_chunks.h"
#include "src/engine/time_range.h"
#include "src/engine/time_slices.h"
#include "src/engine/window_aggregate.h"

namespace arrow {
class RecordBatch;
}

namespace viand::engine {

/// Row groups (Parquet) or record batches (IPC) of one file.
struct FilePart {
  std::string path;
  FileFormat format = FileFormat::kParquet;
  std::vector<int> groups;
  /// One row: columns that have one value in all rows of the file, and are not read from it, by
  /// name in the file (hive partitions, a column that only other files have). Null: none.
  std::shared_ptr<arrow::RecordBatch> constants = nullptr;
};

/// Scan part -> one table a partition. Without file parts the inputs are scanned, one after
/// another.
struct MapFragment {
  std::vector<FilePart> parts;  ///< in row order
  std::shared_ptr<arrow::Schema>
      columns;  ///< what is read: plain or coded types, names as the filter knows them
  std::vector<std::string>
      file_columns;          ///< parallel to `columns`: names in the files or the input
  std::string described_as;  ///< "source transactions": for errors
  std::string filter;        ///< SQL over `columns`; empty: all rows
  int time_column = -1;      ///< index in `columns` of what `range` bounds; -1: no range
  TimeRange range;
  std::vector<int> outputs;  ///< indices in `columns`, in the order of the output
  std::vector<int> keys;     ///< indices in `columns` of what is hashed
  bool drop_null_keys =
      false;  ///< leave out rows with a null key: features, which it can never match
  int partitions = 1;
  TimeSlices slices;  ///< with starts: of `time_column`, and `partitions` is their number
  std::optional<int64_t>
      first_row;           ///< number of the first row: adds a last column int64 of row numbers
  bool positions = false;  ///< adds a last column int32: the row's place among all that are read
  int64_t batch_rows = 0;  ///< rows that are scanned at a time; 0: default
  /// So many last inputs are tables of keys (one column a key): rows whose key is in none of them
  /// may be left out.
  int wanted_keys = 0;
};

/// One partition of an as-of join. Inputs: `spine_parts` tables (keys..., time, row number), then
/// one table of each of the features' `feature_parts` map fragments (keys..., time, created where
/// `has_created`, position). Outputs: for each of these map fragments the rows that were found in
/// what it read: (row number, position); a row number without a match is in none. Where the
/// features are a table in memory (`first_rows`), instead for each chunk of the spine: (row number,
/// row of the table).
struct AsOfFragment {
  int spine_parts = 1;
  int feature_parts = 0;
  int key_count = 0;
  std::shared_ptr<arrow::Schema> features;  ///< of the features' tables
  bool has_created = false;
  bool created_not_after = false;
  int64_t ttl_us = 0;
  std::vector<int64_t> grid_us;
  int64_t batch_rows = 0;  ///< rows of features that are joined at a time, at least a part; 0: all
  /// The table's row at position 0 of each part; empty: features are in files.
  std::vector<int64_t> first_rows;
  RowChunks chunks;  ///< of the spine, with `first_rows`
};

/// The columns of the rows that an as-of join found: of files, in what one map fragment read; of a
/// table in memory (without `parts`), for `rows` rows of the spine. Inputs: that whole table, where
/// there are no files; then the outputs of the join's partitions. Outputs: one table a chunk of the
/// spine: row number, columns...; ascending by row number; of a table every row number, with nulls
/// where nothing was found. Row groups without a row that was found are not read.
struct GatherFragment {
  std::vector<FilePart> parts;             ///< those of the map fragment
  std::shared_ptr<arrow::Schema> columns;  ///< what is read: plain types
  std::vector<std::string>
      file_columns;          ///< parallel to `columns`: names in the files or the input
  std::string described_as;  ///< "source transactions": for errors
  std::vector<int> outputs;  ///< indices in `columns`, in the order of the output
  int64_t batch_rows = 0;    ///< rows that are read at a time; 0: default
  RowChunks chunks;          ///< of the spine
  int64_t first_row = 0;     ///< without files: of the spine's rows
  int64_t rows = 0;          ///< without files: how many of these
};

/// The aggregates of one view.
struct WindowTask {
  std::vector<int64_t> cutoffs_us;  ///< of a grid
  std::string filter;               ///< SQL over the events; empty: all rows
  std::vector<PlannedFeature> features;
  TimeWindow existence;
  std::string having;
  AbsentRows absent = AbsentRows::kLeaveOut;
  /// Ascending: rows of a grid are cut before the first cutoff from each of these on.
  std::vector<int64_t> cut_at_us = {};
};

/// One partition of window aggregates of some views over the same events, grouped and sorted once.
/// Inputs: `spine_parts` tables (keys..., time, row number), none for a grid, then the events'
/// tables, the last `summary_parts` of which are summaries (window_summary.h). Outputs for a grid,
/// of each task: keys..., event_timestamp, features..., ordered by (event_timestamp, keys), in one
/// table and one more for each of its `cut_at_us`. For a spine: of each task one table a chunk of
/// the spine: row number, features... of the spine rows that exist. One that summarizes puts out
/// the summary of its events.
struct WindowFragment {
  bool at_spine = false;
  int spine_parts = 0;
  std::shared_ptr<arrow::Schema>
      events;             ///< of the events' tables; expressions bind to its plain form
  std::vector<int> keys;  ///< indices in `events`
  int time_column = -1;   ///< index in `events`
  std::vector<WindowTask> tasks;
  std::string described_as;
  RowChunks chunks;  ///< of the spine
  int summary_parts = 0;
  bool summarize = false;
};

enum class MissingRows {
  kRefused,  ///< together the parts have every row number
  kNull,     ///< a row number that no part has gets nulls
};

/// What one lookup found for a chunk of the spine, as a write fragment takes it in.
struct FoundTables {
  int tables = 0;                          ///< inputs (row number, columns...)
  std::shared_ptr<arrow::Schema> columns;  ///< plain types, without the row number
  MissingRows missing = MissingRows::kNull;
};

enum class PartFormat {
  kParquet = 0,
  kIpcStream = 1,  ///< any type as it is: for what the driver reads again
  kHeld = 2,       ///< no file: the rows are put out, for fragments to read
  kDropped = 3,    ///< no file, and no rows: `explain --analyze` asks how many there are
};

/// Tells whether a file is written.
constexpr bool IsFile(PartFormat format) { return format <= PartFormat::kIpcStream; }

/// Puts the rows of one chunk of a spine together, with what the lookups found for them, and writes
/// them to a file, which appears whole. Inputs: without `parts` the tables that have the chunk's
/// rows; then those of each lookup. Output: one row: path, rows, bytes (PartFilesSchema), of
/// kDropped those in memory; of kHeld the rows themselves.
struct WriteFragment {
  std::vector<FilePart> parts;            ///< of the spine, that have the chunk's rows
  int spine_tables = 1;                   ///< inputs that have them, where there are no `parts`
  std::vector<std::string> file_columns;  ///< the spine's columns: names in the files or the input
  int64_t skipped_rows = 0;               ///< of `parts` or the tables, before the chunk's
  int64_t first_row = 0;                  ///< of the chunk, in the spine
  int64_t rows = 0;
  std::shared_ptr<arrow::Schema> result;  ///< the spine's columns, then the lookups'; any types
  std::vector<FoundTables> lookups;
  std::string described_as;  ///< the spine: for errors
  std::string path;          ///< absolute, or an address; empty without a file
  PartFormat format = PartFormat::kParquet;
  int64_t rows_at_a_time = 1;  ///< that are put together
};

struct SnapshotFile {
  int64_t cutoff_us = 0;
  std::string path;  ///< absolute, or an address
};

/// Merges rows of a grid, as window fragments put them out, and writes those of each cutoff to a
/// Parquet file. Inputs, at least one: keys..., event_timestamp, features..., each ordered by
/// (event_timestamp, keys). Output: a row a file (PartFilesSchema).
struct SnapshotFragment {
  std::shared_ptr<arrow::Schema> keys;  ///< as the files have them: any types
  std::vector<SnapshotFile> files;
  int64_t batch_rows = 1;  ///< that are merged and written at a time: the files depend on it
};

/// Ready feature rows that are looked up whole: their keys and times are taken out, joined, and the
/// columns of what was found are gathered.
struct BroadcastJoin {
  MapFragment features;   ///< of the inputs: one partition, with positions
  AsOfFragment join;      ///< of one part of the spine and of the features, in memory
  GatherFragment gather;  ///< without files: of the chunk's rows
};

/// Looks a chunk of the spine up in features or events that are few enough to be sent whole to
/// where the spine is read: it scans the spine itself, and nothing of that is dealt out. Inputs:
/// without `spine.parts` the tables that have the chunk's rows; then those of the features or
/// events. Outputs: those of the gather fragment or, of each task, of the window fragment.
struct BroadcastFragment {
  MapFragment spine;      ///< one partition: keys, time, row number
  int spine_tables = 1;   ///< inputs that have the chunk's rows, where it has no parts
  int64_t first_row = 0;  ///< of the chunk, in the spine
  int64_t rows = 0;
  std::variant<BroadcastJoin, WindowFragment> lookup;  ///< of one part of the spine, one chunk
};

/// Chooses, orders and cuts rows, in this order: the chosen columns of all inputs, one after
/// another; sorted, nulls last, what is equal as it came; of what is equal the first; of these
/// some; stamped; cut. Output: a table a part.
struct ArrangeFragment {
  std::shared_ptr<arrow::Schema> columns;  ///< plain: what the chosen become; null: as they are
  std::vector<int> chosen;                 ///< columns of the inputs; empty: all
  std::vector<int> order;                  ///< of the chosen; empty: as they come
  /// So many first of `order`: of rows with equal ones (by value, as join keys; null equals null)
  /// the first stays; 0: all stay.
  int distinct = 0;
  int dropped = 0;                   ///< so many last of the chosen only order, and are not put out
  std::optional<int64_t> time_us;    ///< adds a last column, timestamp[us, UTC]
  std::string time_name;             ///< its name
  std::optional<int64_t> most_rows;  ///< so many, evenly spaced, the first with them; none: all
  /// With more than one the last input has the columns of `order`, and at most so many rows, in
  /// order: each part begins where its own would lie, the first with the first row. Not with
  /// `distinct` or `most_rows`.
  int parts = 1;
};

/// A table that a step of a chain puts out.
struct StepOutput {
  int step = 0;
  int output = 0;
  bool operator==(const StepOutput&) const = default;
};

struct ChainStep;

/// Fragments that run one after another where this one runs: of plans so small that a task each
/// would cost more. No inputs.
struct ChainFragment {
  std::vector<ChainStep> steps;
  std::vector<StepOutput> outputs;
};

using Fragment =
    std::variant<MapFragment, AsOfFragment, WindowFragment, GatherFragment, WriteFragment,
                 SnapshotFragment, BroadcastFragment, ChainFragment, ArrangeFragment>;

struct ChainStep {
  Fragment fragment;               ///< neither a chain nor a broadcast fragment
  std::vector<StepOutput> inputs;  ///< of steps before
};

/// Number of tables that a fragment puts out.
inline int OutputCount(const Fragment& fragment) {
  if (const auto* map = std::get_if<MapFragment>(&fragment)) return map->partitions;
  if (const auto* window = std::get_if<WindowFragment>(&fragment)) {
    if (window->summarize) return 1;
    size_t count = window->tasks.size() * static_cast<size_t>(window->chunks.count);
    for (const WindowTask& task : window->tasks) count += task.cut_at_us.size();
    return static_cast<int>(count);
  }
  if (const auto* join = std::get_if<AsOfFragment>(&fragment))
    return join->first_rows.empty() ? join->feature_parts : join->chunks.count;
  if (std::holds_alternative<WriteFragment>(fragment)) return 1;
  if (std::holds_alternative<SnapshotFragment>(fragment)) return 1;
  if (const auto* chain = std::get_if<ChainFragment>(&fragment))
    return static_cast<int>(chain->outputs.size());
  if (const auto* broadcast = std::get_if<BroadcastFragment>(&fragment)) {
    const auto* windows = std::get_if<WindowFragment>(&broadcast->lookup);
    return windows == nullptr ? 1 : static_cast<int>(windows->tasks.size());
  }
  if (const auto* arrange = std::get_if<ArrangeFragment>(&fragment)) return arrange->parts;
  return std::get<GatherFragment>(fragment).chunks.count;
}

}  // namespace viand::engine
