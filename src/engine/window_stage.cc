#include "src/engine/window_stage.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "src/common/grouped_number.h"
#include "src/common/memory_size.h"
#include "src/common/time.h"
#include "src/engine/bind_view.h"
#include "src/engine/plain_array.h"
#include "src/engine/sliding_aggregates.h"

namespace viand::engine {
namespace {

using Outputs = std::vector<std::vector<TableReference>>;

/// Of the memory budget: for the fragments that run beside each other, and for one alone. The rest
/// is of the tables that wait.
constexpr int64_t kBesideShare = 4;
constexpr int64_t kAloneShare = 2;

// Bytes that the kernels take, beside the tables that come in and their rows in one piece: for an
// event its group, place and time, for what does not slide its membership in sets and sorted
// copies; for a set its group, place, time and spans, and for a feature of one its value in the
// order of the sets, where it was found, and in the order of the spine.
constexpr int64_t kSlidingEventBytes = 24;
constexpr int64_t kOtherEventBytes = 128;
constexpr int64_t kSetBytes = 64;
constexpr int64_t kFeatureBytes = 24;

/// Cutting in 64 twelve times tells microseconds apart.
constexpr int kMostSlices = 64;
constexpr int kMostCuts = 12;
constexpr int64_t kUnbounded = std::numeric_limits<int64_t>::max();

/// What one fragment takes in.
struct Part {
  PartitionInputs spine;
  PartitionInputs events;
  std::vector<std::vector<int64_t>> cutoffs_us;  // of each task, for a grid
  TimeRange times;                               // of its sets
  int cuts = 0;                                  // how often it was cut
};

class WindowStageRun {
 public:
  WindowStageRun(WindowStage stage, const ExecuteOptions& options)
      : stage_(std::move(stage)), options_(options) {}

  arrow::Result<Outputs> Run() {
    VIAND_RETURN_NOT_OK(Estimate());
    for (size_t p = 0; p < stage_.events.size(); ++p) {
      Part part{.events = std::move(stage_.events[p]), .times = TimesOfAll()};
      if (stage_.prototype.at_spine) part.spine = stage_.spine_parts[p];
      // Nobody asks for these events.
      if (stage_.prototype.at_spine && RowsOf(part.spine) == 0) part.events.clear();
      for (const WindowTask& task : stage_.prototype.tasks)
        part.cutoffs_us.push_back(task.cutoffs_us);
      VIAND_RETURN_NOT_OK(Place(std::move(part)));
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
    return options_.executor->RunStage(does + stage_.prototype.described_as, std::move(calls),
                                       options_.progress,
                                       NewStage(options_.counters, stage_.operation));
  }

  TimeRange TimesOfAll() const {
    if (stage_.prototype.at_spine) return stage_.times;
    TimeRange range = NoTimes();
    for (const WindowTask& task : stage_.prototype.tasks) {
      for (const int64_t cutoff : task.cutoffs_us)
        range = range.IsEmpty()
                    ? TimeRange{cutoff, cutoff}
                    : TimeRange{std::min(*range.min_us, cutoff), std::max(*range.max_us, cutoff)};
    }
    return range;
  }

  /// Which bytes rows take, and how far windows reach.
  arrow::Status Estimate() {
    const WindowFragment& prototype = stage_.prototype;
    bool all_slide = true;
    int64_t features = 0;
    for (const WindowTask& task : prototype.tasks) {
      VIAND_ASSIGN_OR_RETURN(
          const WindowSpec spec,
          BindWindowSpec(task.features, task.existence, task.having, PlainSchema(*prototype.events),
                         prototype.described_as));
      Reach(task.existence, nullptr);
      for (const PlannedFeature& feature : task.features) Reach(feature.window, &feature);
      for (const WindowFeature& feature : spec.features) {
        for (const auto& call : feature.aggregation.calls) all_slide &= Slides(*call);
      }
      features += static_cast<int64_t>(task.features.size());
    }
    // As they come in, in one piece, and what is read of them in the order of time.
    event_bytes_ =
        3 * RowBytes(*prototype.events) + (all_slide ? kSlidingEventBytes : kOtherEventBytes);
    if (prototype.at_spine)
      set_bytes_ = 2 * RowBytes(*stage_.spine) + kSetBytes + features * kFeatureBytes;
    return arrow::Status::OK();
  }

  static bool Slides(const expression::AggregateCall& call) {
    return call.per_keys.empty() && call.order_by == nullptr && SlidesOverSpans(call.function);
  }

  void Reach(const TimeWindow& window, const PlannedFeature* feature) {
    const int64_t length = window.unbounded ? kUnbounded : window.length_us;
    const int64_t longest = std::max(back_us_, ahead_us_);
    if (length > longest || (length == longest && longest_feature_ == nullptr)) {
      longest_ = window;
      longest_feature_ = feature;
    }
    int64_t& reach = window.following ? ahead_us_ : back_us_;
    reach = std::max(reach, length);
  }

  int64_t BytesOf(const Part& part) const {
    return RowsOf(part.events) * event_bytes_ + RowsOf(part.spine) * set_bytes_;
  }

  /// No budget is less than the least that there may be: one of a byte only spills all.
  int64_t Budget() const {
    const int64_t memory = options_.executor->MemoryBytes();
    return memory == 0 ? 0 : std::max(memory, kLeastMemoryBytes);
  }
  int64_t BytesAlone() const {
    return Budget() == 0 ? std::numeric_limits<int64_t>::max() : Budget() / kAloneShare;
  }
  int64_t BytesBeside() const {
    if (Budget() == 0) return std::numeric_limits<int64_t>::max();
    return Budget() / kBesideShare / std::max(1, options_.executor->Parallelism());
  }
  int64_t MostUncut() const { return options_.cut_bytes > 0 ? options_.cut_bytes : BytesAlone(); }

  /// Makes a fragment of it, or several. `before`: of what it was cut from.
  arrow::Status Place(Part part, int64_t before = std::numeric_limits<int64_t>::max()) {
    const int64_t bytes = BytesOf(part);
    // Where windows are as long as all that there is, cutting changes nothing.
    const bool helps = part.cuts == 0 || bytes < before - before / 16;
    // The last slice of what is unbounded has all rows.
    if (back_us_ == kUnbounded && RowsOf(part.events) * event_bytes_ > BytesAlone())
      return TooLarge(part, bytes);
    if (bytes > MostUncut() && helps && part.cuts < kMostCuts) {
      if (const std::vector<int64_t> starts = StartsOf(part, bytes); !starts.empty()) {
        VIAND_ASSIGN_OR_RETURN(std::vector<Part> slices, Cut(part, starts));
        part = {};
        for (Part& slice : slices) VIAND_RETURN_NOT_OK(Place(std::move(slice), bytes));
        return arrow::Status::OK();
      }
    }
    if (bytes > BytesAlone()) return TooLarge(part, bytes);
    (bytes <= BytesBeside() ? beside_ : alone_).push_back(CallOf(std::move(part)));
    return arrow::Status::OK();
  }

  FragmentCall CallOf(Part part) const {
    WindowFragment fragment = stage_.prototype;
    for (size_t task = 0; task < fragment.tasks.size(); ++task)
      fragment.tasks[task].cutoffs_us = std::move(part.cutoffs_us[task]);
    FragmentCall call{std::move(fragment), std::move(part.spine)};
    call.inputs.insert(call.inputs.end(), std::make_move_iterator(part.events.begin()),
                       std::make_move_iterator(part.events.end()));
    return call;
  }

  /// Where slices begin so that, were times even, each would fit: beside others if it can. None
  /// where there is one time only.
  std::vector<int64_t> StartsOf(const Part& part, int64_t bytes) const {
    if (part.times.IsEmpty() || !part.times.Binds()) return {};
    const auto first = static_cast<double>(*part.times.min_us);
    const auto span = static_cast<double>(*part.times.max_us) - first + 1;
    const double reach = static_cast<double>(back_us_) + static_cast<double>(ahead_us_);
    const auto slices_for = [&](int64_t target) -> double {
      const double length =
          static_cast<double>(target) / static_cast<double>(bytes) * (span + reach) - reach;
      return length > 0 ? span / length + 1 : kMostSlices + 1;
    };
    double wanted = slices_for(std::min(BytesBeside(), MostUncut()));
    if (wanted > kMostSlices) wanted = slices_for(MostUncut());
    const auto count = static_cast<int>(std::clamp(wanted, 2.0, double{kMostSlices}));
    return part.spine.empty() ? CutoffStarts(part, count) : EvenStarts(part, count);
  }

  static std::vector<int64_t> EvenStarts(const Part& part, int count) {
    std::vector<int64_t> starts;
    const __int128 span = __int128{*part.times.max_us} - *part.times.min_us + 1;
    for (int slice = 1; slice < count; ++slice) {
      const auto start = static_cast<int64_t>(*part.times.min_us + span * slice / count);
      if (start > (starts.empty() ? *part.times.min_us : starts.back())) starts.push_back(start);
    }
    return starts;
  }

  static std::vector<int64_t> CutoffStarts(const Part& part, int count) {
    std::set<int64_t> all;
    for (const auto& cutoffs : part.cutoffs_us) all.insert(cutoffs.begin(), cutoffs.end());
    const std::vector<int64_t> sorted(all.begin(), all.end());
    std::vector<int64_t> starts;
    for (int slice = 1; slice < count; ++slice) {
      const int64_t start = sorted[sorted.size() * slice / count];
      if (start > (starts.empty() ? sorted.front() : starts.back())) starts.push_back(start);
    }
    return starts;
  }

  /// The slices that have sets, each with the events that these may reach.
  arrow::Result<std::vector<Part>> Cut(const Part& part, const std::vector<int64_t>& starts) const {
    const size_t count = starts.size() + 1;
    const TimeSlices of_sets{.starts_us = starts};
    const TimeSlices of_events{.starts_us = starts, .back_us = back_us_, .ahead_us = ahead_us_};
    std::vector<PartitionInputs> spine(count);
    if (stage_.prototype.at_spine) {
      VIAND_ASSIGN_OR_RETURN(
          spine, Deal(part.spine, stage_.spine, stage_.spine->num_fields() - 2, of_sets));
    }
    VIAND_ASSIGN_OR_RETURN(auto events, Deal(part.events, stage_.prototype.events,
                                             stage_.prototype.time_column, of_events));
    std::vector<Part> slices;
    for (size_t s = 0; s < count; ++s) {
      Part slice{.spine = std::move(spine[s]), .events = std::move(events[s])};
      slice.times = {.min_us = s == 0 ? *part.times.min_us : starts[s - 1],
                     .max_us = s + 1 == count ? *part.times.max_us : starts[s] - 1};
      slice.cuts = part.cuts + 1;
      int64_t sets = RowsOf(slice.spine);
      for (const auto& cutoffs : part.cutoffs_us) {
        auto& kept = slice.cutoffs_us.emplace_back();
        std::copy_if(cutoffs.begin(), cutoffs.end(), std::back_inserter(kept), [&](int64_t cutoff) {
          return cutoff >= *slice.times.min_us && cutoff <= *slice.times.max_us;
        });
        sets += static_cast<int64_t>(kept.size());
      }
      if (sets > 0) slices.push_back(std::move(slice));
    }
    return slices;
  }

  /// The tables cut: those of each slice, in their order.
  arrow::Result<std::vector<PartitionInputs>> Deal(const PartitionInputs& tables,
                                                   const std::shared_ptr<arrow::Schema>& schema,
                                                   int time_column,
                                                   const TimeSlices& slices) const {
    MapFragment fragment;
    fragment.columns = schema;
    fragment.file_columns = schema->field_names();
    fragment.described_as = stage_.prototype.described_as;
    fragment.time_column = time_column;
    for (int column = 0; column < schema->num_fields(); ++column)
      fragment.outputs.push_back(column);
    fragment.partitions = slices.count();
    fragment.slices = slices;
    fragment.batch_rows = options_.batch_rows;
    std::vector<FragmentCall> calls;
    for (const TableReference& table : tables) calls.push_back({fragment, {table}});
    VIAND_ASSIGN_OR_RETURN(
        Outputs results, options_.executor->RunStage("cut " + stage_.prototype.described_as,
                                                     std::move(calls), options_.progress, nullptr));
    std::vector<PartitionInputs> dealt(slices.count());
    for (auto& outputs : results) {
      for (size_t slice = 0; slice < outputs.size(); ++slice)
        dealt[slice].push_back(std::move(outputs[slice]));
    }
    return dealt;
  }

  static std::string Megabytes(int64_t bytes) { return Grouped((bytes + 999'999) / 1'000'000); }

  arrow::Status TooLarge(const Part& part, int64_t bytes) const {
    const std::string what =
        longest_feature_ == nullptr ? "" : fmt::format("feature \"{}\": ", longest_feature_->name);
    const std::string reach = longest_.unbounded ? "before its times"
                                                 : fmt::format("within {} of its times",
                                                               FormatDuration(longest_.length_us));
    VIAND_ASSIGN_OR_RETURN(const std::string key, HeaviestKey(part.events));
    return ErrorAt(
        longest_feature_ == nullptr ? SourceLocation{} : longest_feature_->where, ErrorKind::kInput,
        fmt::format("{}{} of {}{} take about {} MB, and a key may take {} MB", what,
                    Counted(RowsOf(part.events), "row"), key.empty() ? "all keys " : key + " ",
                    reach, Megabytes(bytes), Megabytes(BytesAlone())),
        fmt::format(
            "give --memory {}MB or more{}", (2 * bytes + 999'999) / 1'000'000,
            longest_.unbounded ? ", or a window that is not unbounded" : ", or a shorter window"));
  }

  /// Of the first table that has rows: one key has most of all.
  arrow::Result<std::string> HeaviestKey(const PartitionInputs& events) const {
    for (const TableReference& table : events) {
      if (table->rows() == 0) continue;
      VIAND_ASSIGN_OR_RETURN(const auto rows, options_.executor->Fetch(table));
      VIAND_ASSIGN_OR_RETURN(const auto keys, HeaviestKeys(stage_.prototype.keys, {rows}));
      return keys.empty() ? "" : keys[0].key;
    }
    return "";
  }

  WindowStage stage_;
  const ExecuteOptions& options_;
  int64_t event_bytes_ = 0;
  int64_t set_bytes_ = 0;
  int64_t back_us_ = 0;
  int64_t ahead_us_ = 0;
  TimeWindow longest_;
  const PlannedFeature* longest_feature_ = nullptr;  // null: the view itself
  std::vector<FragmentCall> beside_;
  std::vector<FragmentCall> alone_;
};

}  // namespace

arrow::Result<Outputs> RunWindowStage(WindowStage stage, const ExecuteOptions& options) {
  return WindowStageRun(std::move(stage), options).Run();
}

}  // namespace viand::engine
