// Window aggregates as of the times of a grid or of spine rows: the kernel that reduce fragments
// run.
//
// Rows are sorted once by (key, time, row); every window slides over a key's rows, so the cost is
// O((events + rows) log) whatever the number of windows. Contract: DESIGN sections 2 and 4. Oracle:
// window_oracle.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/plan.h"
#include "src/engine/sorted_events.h"
#include "src/engine/time_window.h"
#include "src/expression/aggregation.h"

namespace arrow {
class Array;
class MemoryPool;
class RecordBatch;
struct Scalar;
}  // namespace arrow

namespace viand::engine {

struct WindowFeature {
  std::string name;
  expression::Aggregation aggregation;
  TimeWindow window;
  std::shared_ptr<arrow::Scalar>
      default_value;  ///< replaces null in rows that exist; null pointer: none
  std::shared_ptr<const PlannedFunction> function = nullptr;  ///< instead of `aggregation`
  SourceLocation where = {};                                  ///< of a function's feature
};

/// What becomes of a (key, t) without a row in the view's window, or failing `having`.
enum class AbsentRows {
  kLeaveOut,  ///< grids: the row does not exist
  kNull,      ///< views at a spine's rows: the spine row stays, its features are null
  kCompute,   ///< labels: aggregates over no rows (count 0, sum null), defaults apply
};

struct WindowSpec {
  std::vector<WindowFeature> features;
  TimeWindow existence;                           ///< the view's own window
  std::optional<expression::Aggregation> having;  ///< over the view's own window
  AbsentRows absent = AbsentRows::kLeaveOut;
  expression::ExpressionPtr filter;         ///< the view's rows among the events; null: all
  std::vector<std::string> key_names = {};  ///< as functions are given them
};

/// Returns keys..., event_timestamp (timestamp[us, UTC]), features... of every (key, cutoff) that
/// exists, by order of cutoff and within one by first appearance of the key. `key_names` name the
/// key columns.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> AggregateAtGrid(
    SortedEvents* events, const std::vector<std::string>& key_names,
    const std::vector<int64_t>& cutoffs_us, const WindowSpec& spec);

/// Features of spine rows, in the spine's order.
struct SpineFeatures {
  std::shared_ptr<arrow::Array> rows;            ///< int64, ascending: which rows of the spine
  std::shared_ptr<arrow::RecordBatch> features;  ///< one row for each
};

/// Returns the features of the spine rows that exist, in pieces that follow one another, at least
/// one; with kCompute all rows exist. `spec.absent` is kNull or kCompute.
arrow::Result<std::vector<SpineFeatures>> AggregateAtSpine(
    SortedEvents* events, const std::vector<std::shared_ptr<arrow::Array>>& spine_keys,
    const std::shared_ptr<arrow::Array>& spine_time, const WindowSpec& spec);

/// The same for one view alone; at a spine with one row of features for each row of it, null where
/// it does not exist.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> AggregateAtGrid(
    const EventRows& events, const std::vector<std::string>& key_names,
    const std::vector<int64_t>& cutoffs_us, const WindowSpec& spec,
    arrow::MemoryPool* pool = nullptr);
arrow::Result<std::shared_ptr<arrow::RecordBatch>> AggregateAtSpine(
    const EventRows& events, const std::vector<std::shared_ptr<arrow::Array>>& spine_keys,
    const std::shared_ptr<arrow::Array>& spine_time, const WindowSpec& spec,
    arrow::MemoryPool* pool = nullptr);

}  // namespace viand::engine
