#include "src/engine/window_stage.h"

#include <arrow/table.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "src/engine/heavy_partition.h"
#include "src/engine/window_estimate.h"

namespace viand::engine {
namespace {

using Outputs = std::vector<std::vector<TableReference>>;

/// A partition of fewer rows is no job to share.
constexpr int64_t kLeastHeavyRows = 512 * 1024;
/// A table of more is not fetched for its columns alone.
constexpr int64_t kMostFetchedRows = 1024;
/// A window that must be in memory whole is read by every fragment whose times are within it: that
/// pays where the times reach so many times as far.
constexpr int64_t kLeastReaches = 4;

/// From the first to the last of the times that sets have; beyond int64 its end.
int64_t ReachOfSets(const HeavyPartition& part, bool at_spine) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  int64_t first = kMost, last = std::numeric_limits<int64_t>::min();
  if (at_spine) {
    first = part.times.min_us.value_or(first);
    last = part.times.max_us.value_or(last);
  }
  for (const auto& cutoffs : part.cutoffs_us) {
    if (cutoffs.empty()) continue;
    first = std::min(first, cutoffs.front());
    last = std::max(last, cutoffs.back());
  }
  if (last <= first) return 0;
  const uint64_t reach = static_cast<uint64_t>(last) - static_cast<uint64_t>(first);
  return static_cast<int64_t>(std::min(reach, static_cast<uint64_t>(kMost)));
}

class WindowStageRun {
 public:
  WindowStageRun(WindowStage stage, const ExecuteOptions& options)
      : stage_(std::move(stage)), options_(options) {}

  arrow::Result<Outputs> Run() {
    VIAND_ASSIGN_OR_RETURN(const auto estimate, WindowEstimate::Make(stage_.prototype, stage_.spine,
                                                                     stage_.events, options_));
    for (size_t p = 0; p < stage_.events.size(); ++p) {
      all_bytes_ += estimate.EventBytes(stage_.events[p]);
      if (stage_.prototype.at_spine) all_bytes_ += estimate.SetBytes(stage_.spine_parts[p]);
    }
    for (size_t p = 0; p < stage_.events.size(); ++p) {
      HeavyPartition part{.events = std::move(stage_.events[p]), .times = stage_.times};
      if (stage_.prototype.at_spine) part.spine = stage_.spine_parts[p];
      // Nobody asks for these events.
      if (stage_.prototype.at_spine && RowsOf(part.spine) == 0) part.events.clear();
      for (const WindowTask& task : stage_.prototype.tasks)
        part.cutoffs_us.push_back(task.cutoffs_us);
      VIAND_RETURN_NOT_OK(Place(std::move(part), estimate));
    }
    VIAND_ASSIGN_OR_RETURN(Outputs results, Aggregate(std::move(beside_)));
    for (FragmentCall& call : alone_) {
      std::vector<FragmentCall> one;
      one.push_back(std::move(call));
      VIAND_ASSIGN_OR_RETURN(Outputs outputs, Aggregate(std::move(one)));
      results.push_back(std::move(outputs[0]));
    }
    return results;
  }

 private:
  arrow::Result<Outputs> Aggregate(std::vector<FragmentCall> calls) const {
    if (calls.empty()) return Outputs{};
    const std::string does = stage_.prototype.at_spine ? "look up " : "aggregate ";
    return options_.executor->RunStage(does + stage_.described_as, std::move(calls),
                                       options_.progress,
                                       NewStage(options_.counters, stage_.operation));
  }

  /// Makes a fragment of it, or several.
  arrow::Status Place(HeavyPartition part, const WindowEstimate& estimate) {
    std::vector<SizedCall> calls;
    const int64_t bytes = estimate.EventBytes(part.events) + estimate.SetBytes(part.spine);
    const bool heavy = IsHeavy(part, bytes, estimate);
    if (heavy || bytes > estimate.MostUncut()) {
      const int64_t wanted = heavy ? all_bytes_ / Cores() : estimate.MostUncut();
      VIAND_ASSIGN_OR_RETURN(calls, CutPartition(std::move(part), wanted, stage_.prototype,
                                                 stage_.spine, estimate, options_));
    } else {
      FragmentCall call{stage_.prototype, std::move(part.spine)};
      call.inputs.insert(call.inputs.end(), std::make_move_iterator(part.events.begin()),
                         std::make_move_iterator(part.events.end()));
      calls.push_back({std::move(call), bytes});
    }
    for (SizedCall& each : calls)
      (each.bytes <= estimate.BytesBeside() ? beside_ : alone_).push_back(std::move(each.call));
    return arrow::Status::OK();
  }

  int64_t Cores() const { return std::max(1, options_.executor->Parallelism()); }

  /// Whether it has so much of all that other machines would wait for it, and cutting it helps.
  /// Threads of one are as fast with a heavy key whole: cut, it takes twice the CPU time.
  bool IsHeavy(const HeavyPartition& part, int64_t bytes, const WindowEstimate& estimate) const {
    if (!RunsElsewhere(options_) || Cores() == 1 ||
        RowsOf(part.events) + RowsOf(part.spine) < kLeastHeavyRows ||
        bytes <= std::min(2 * (all_bytes_ / Cores()), all_bytes_ / 4 * 3))
      return false;
    const int64_t reach = ReachOfSets(part, stage_.prototype.at_spine);
    return std::all_of(
        estimate.windows().begin(), estimate.windows().end(), [&](const WindowReach& each) {
          return each.merges ||
                 (!each.window.unbounded && each.window.length_us <= reach / kLeastReaches);
        });
  }

  WindowStage stage_;
  const ExecuteOptions& options_;
  int64_t all_bytes_ = 0;  // of all partitions
  std::vector<FragmentCall> beside_;
  std::vector<FragmentCall> alone_;
};

}  // namespace

arrow::Result<Outputs> RunWindowStage(WindowStage stage, const ExecuteOptions& options) {
  return WindowStageRun(std::move(stage), options).Run();
}

arrow::Result<std::shared_ptr<arrow::Schema>> SchemaOfOutputs(const Outputs& outputs, size_t first,
                                                              size_t count, Executor* executor) {
  const TableReference* least = &outputs[0][first];
  for (const auto& of_fragment : outputs) {
    for (size_t i = first; i < first + count; ++i) {
      if (of_fragment[i]->rows() < (*least)->rows()) least = &of_fragment[i];
    }
  }
  TableReference few = *least;
  if (few->rows() > kMostFetchedRows) {
    ArrangeFragment none;
    none.most_rows = 0;
    std::vector<FragmentCall> calls;
    calls.push_back({std::move(none), {few}});
    VIAND_ASSIGN_OR_RETURN(const auto results, executor->RunStage("columns", std::move(calls),
                                                                  Progress::Silent(), nullptr));
    few = results[0][0];
  }
  VIAND_ASSIGN_OR_RETURN(const auto table, executor->Fetch(few));
  return table->schema();
}

}  // namespace viand::engine
