// Events grouped by key and, within a key, ordered by (time, row): made once for all views over the
// same rows, keys and timestamp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/aggregate_call.h"
#include "src/engine/key_index.h"
#include "src/engine/row_tallies.h"
#include "src/engine/window_spans.h"

namespace arrow {
class Array;
class DataType;
class MemoryPool;
class RecordBatch;
}  // namespace arrow

namespace viand::engine {

/// Base rows, in order of their position in the source.
struct EventRows {
  std::shared_ptr<arrow::RecordBatch> columns;  ///< schema of the scope that bound the aggregates
  std::vector<std::shared_ptr<arrow::Array>> keys;  ///< a null key makes no row
  std::shared_ptr<arrow::Array>
      time;  ///< timestamp of any unit, or date; a null time is in no window
  /// What rows of summaries stand for, by the names of TalliedRows; a name that is not there: for
  /// themselves.
  std::map<std::string, RowTallies> tallies = {};
};

/// A partition has more rows, keys at times, or spine rows than the kernel can number.
arrow::Status TooLargePartition(const std::string& what, int64_t most);

/// Not thread-safe: expressions are evaluated when first asked for.
class SortedEvents {
 public:
  static arrow::Result<std::unique_ptr<SortedEvents>> Make(EventRows events,
                                                           arrow::MemoryPool* pool);

  const EventRows& events() const { return events_; }
  const KeyIndex& keys() const { return keys_; }
  int64_t unit_ns() const { return unit_ns_; }  ///< of the events' times
  arrow::MemoryPool* pool() const { return pool_; }
  /// Of the rows in the order of `all`: without those of a null key or time.
  RowValues* values() { return &*values_; }

  /// What rows stand for, in the order of `all`; null: for themselves.
  const RowTallies* TalliesOf(const TalliedRows& rows) const;
  /// Where the rows in the order of `all` are in the events' columns, int32.
  arrow::Result<std::shared_ptr<arrow::Array>> PlacesOf(const PoolVector<int32_t>& positions) const;
  /// The rows in the order of `all`, as the events have them.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowsAt(
      const PoolVector<int32_t>& positions) const;

  const EventRuns& all() const { return all_; }
  /// The rows for which a condition holds.
  arrow::Result<EventRuns> Passing(const expression::Expression& condition);

  /// "(12347, GB)": for errors.
  std::string NameKey(int32_t key) const;

 private:
  SortedEvents(EventRows events, int64_t unit_ns, arrow::MemoryPool* pool)
      : events_(std::move(events)), unit_ns_(unit_ns), pool_(pool) {}
  void Sort();

  const EventRows events_;
  const int64_t unit_ns_;
  arrow::MemoryPool* const pool_;
  PoolVector<int32_t> order_;  // row at each position; empty: the position is the row
  std::optional<RowValues> values_;
  std::map<std::string, RowTallies> tallies_;
  KeyIndex keys_;
  EventRuns all_;
};

}  // namespace viand::engine
