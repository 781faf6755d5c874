// What fragments of window aggregates take in memory, and what they may: how partitions are placed
// and cut. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/fragment.h"
#include "src/engine/map_stage.h"
#include "src/engine/window_slices.h"

namespace viand::engine {

class WindowEstimate {
 public:
  /// `spine`: of the spine's tables; null: a grid. `events` by partition, some of which are looked
  /// at where there is a budget.
  static arrow::Result<WindowEstimate> Make(const WindowFragment& prototype,
                                            const std::shared_ptr<arrow::Schema>& spine,
                                            const std::vector<PartitionInputs>& events,
                                            const ExecuteOptions& options);

  int64_t EventBytes(const PartitionInputs& events) const { return RowsOf(events) * event_bytes_; }
  /// Of a summary's table.
  int64_t SummaryBytes(const TableHandle& summary) const;
  int64_t SetBytes(const PartitionInputs& spine) const { return RowsOf(spine) * set_bytes_; }
  /// Of a row of the spine's tables as they are read.
  int64_t SpineRowBytes() const { return spine_row_bytes_; }
  int64_t EventRowBytes() const { return event_row_bytes_; }

  /// What a fragment may take that runs alone, and one that runs beside others.
  int64_t BytesAlone() const;
  int64_t BytesBeside() const;
  /// What a fragment may take before its partition is cut.
  int64_t MostUncut() const { return cut_bytes_ > 0 ? cut_bytes_ : BytesAlone(); }
  /// What a fragment that scans may take.
  int64_t BytesScanned() const;

  /// The windows of all calls, each once.
  const std::vector<WindowReach>& windows() const { return windows_; }
  /// The feature whose window is longest of those that must be in memory whole, of all where none
  /// must; null: the view itself.
  const PlannedFeature* longest() const { return longest_; }
  const TimeWindow& longest_window() const { return longest_window_; }

 private:
  arrow::Status Add(const WindowTask& task, const WindowFragment& prototype);
  /// `merges`: it needs no more of a window than summaries tell.
  void AddWindow(const TimeWindow& window, const expression::Aggregation* aggregation,
                 const PlannedFeature* feature, bool merges = true);

  int64_t budget_ = 0;
  int64_t alone_budget_ = 0;
  int64_t cut_bytes_ = 0;
  int cores_ = 1;
  bool all_slide_ = true;
  bool has_trees_ = false;
  int64_t features_ = 0;
  int64_t event_bytes_ = 0;
  int64_t event_row_bytes_ = 0;
  int64_t spine_row_bytes_ = 0;
  int64_t set_bytes_ = 0;
  std::vector<WindowReach> windows_;
  bool longest_merges_ = true;
  bool has_longest_ = false;
  TimeWindow longest_window_;
  const PlannedFeature* longest_ = nullptr;  // of the prototype
};

}  // namespace viand::engine
