// What the engine is asked to do, as data: it can be printed, serialized (plan.fbs), cut into
// fragments and sent to another process. Expressions travel as canonical SQL text. Knows no
// registry and no definitions.
//
//   Retrieval: spine rows + lookups -> the spine's columns and, for each lookup, its outputs; spine
//   order. Backfill:  one computed view over the cutoffs of a grid -> keys, event_timestamp,
//   features; ordered by
//              (event_timestamp, keys).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "src/common/error.h"
#include "src/engine/time_window.h"

namespace arrow {
class Buffer;
class DataType;
class Schema;
class Table;
}  // namespace arrow

namespace viand::engine {

struct HeldRows;  // held_rows.h

enum class FileFormat { kParquet = 0, kCsv = 1, kIpc = 2 };

/// A table to scan: files in order, a table in memory, or, of a spine, rows that an executor holds.
/// The engine reads only what a plan needs of it.
struct Scan {
  std::vector<std::string> files;  ///< absolute; row order is (position here, row in file)
  FileFormat format = FileFormat::kParquet;
  std::shared_ptr<arrow::Table> table;      ///< instead of files
  std::shared_ptr<const HeldRows> held;     ///< instead of files: a spine's, without renames
  std::shared_ptr<arrow::Buffer> csv_text;  ///< instead of files, with kCsv: the text itself
  std::map<std::string, std::shared_ptr<arrow::DataType>>
      csv_types;  ///< by name in the file; others are inferred
  std::shared_ptr<arrow::Schema>
      schema;  ///< after `renames`; what expressions bind to. Null: take the files' own
  std::vector<std::pair<std::string, std::string>> renames;  ///< column in the file -> name here
  std::string filter;                                        ///< SQL over `schema`; empty: all rows
  std::string described_as;                                  ///< "source transactions": for errors
  bool hive_partitions = false;  ///< folders named key=value above a file are columns of it
  bool fill_missing = false;     ///< a column that only other files have is null; else an error
};

/// A function of the user's in Python, which a worker process runs (function_calls.h).
struct PlannedFunction {
  std::string name;                  ///< "features.rfm:monetary": for people
  std::string code;                  ///< docs/formats/function.md
  std::vector<std::string> columns;  ///< of the source: what it takes
  std::string output;                ///< which of its results; empty: it has one
  std::shared_ptr<arrow::DataType> type;

  /// Two features of one call.
  bool SameCall(const PlannedFunction& other) const {
    return code == other.code && columns == other.columns;
  }
  /// "features.rfm:monetary(revenue)": for people.
  std::string ToString() const;
};

struct PlannedFeature {
  std::string name;
  std::string expr;  ///< SQL over the source's columns with aggregates, and as_of
  TimeWindow window;
  std::string default_value;                                  ///< SQL literal; empty: none
  SourceLocation where = {};                                  ///< of its definition: for errors
  std::shared_ptr<const PlannedFunction> function = nullptr;  ///< instead of `expr`

  /// Its expression or its function: for people.
  std::string Computation() const { return function == nullptr ? expr : function->ToString(); }
};

/// A computed view, or labels.
struct WindowView {
  Scan source;
  std::vector<std::string> keys;  ///< columns of the source
  std::string timestamp_column;
  TimeWindow existence;
  std::string having;  ///< SQL with aggregates; empty: none
  std::vector<PlannedFeature> features;
  std::string described_as;   ///< `feature view "x"`: for errors
  SourceLocation where = {};  ///< of its definition: for errors
};

/// A table of ready feature rows, looked up as of t.
struct AsOfView {
  Scan source;
  std::vector<std::string> keys;
  std::string timestamp_column;
  std::string created_column;  ///< empty: none
  bool created_not_after = false;
  int64_t ttl_us = 0;                ///< 0: no lower bound
  std::vector<int64_t> grid_us;      ///< AsOfOptions::grid_us
  std::vector<std::string> columns;  ///< the feature columns wanted
  std::string described_as;          ///< `feature view "x"`: for errors
};

struct Lookup {
  std::variant<AsOfView, WindowView> view;
  bool compute_absent =
      false;  ///< WindowView: labels (AbsentRows::kCompute) instead of null features
  std::vector<std::string>
      spine_keys;  ///< the spine's columns, parallel to the view's keys; empty: entity-less
  std::vector<std::string> output_names;  ///< parallel to the view's columns / features
};

struct RetrievalPlan {
  Scan spine;
  std::string spine_timestamp = "event_timestamp";
  std::vector<Lookup> lookups;
};

struct BackfillPlan {
  WindowView view;
  std::vector<int64_t> cutoffs_us;  ///< ascending
};

}  // namespace viand::engine
