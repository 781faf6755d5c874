#include "src/engine/heavy_partition.h"

#include <arrow/array.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "src/common/grouped_number.h"
#include "src/common/time.h"
#include "src/engine/exact_words.h"
#include "src/engine/execute_fragment.h"
#include "src/engine/plan_counters.h"
#include "src/engine/time_slices.h"

namespace viand::engine {
namespace {

/// Slices that are made at a time; recutting twelve times tells microseconds apart.
constexpr int64_t kMostSlices = 64;
constexpr int kMostCuts = 12;
/// As many fragments beside each other are better than fewer alone.
constexpr int64_t kMostSlicesBeside = 256;
/// Summaries that make one of the next level.
constexpr int kFanIn = 8;
/// Times that are looked at before slices are chosen.
constexpr size_t kSampledTables = 16;
constexpr int64_t kSampledTimes = 512;
/// Rows that are looked at for the key of most of them.
constexpr int64_t kSampledKeys = 4096;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

class PartitionCutter {
 public:
  PartitionCutter(HeavyPartition partition, int64_t wanted_bytes, const WindowFragment& prototype,
                  std::shared_ptr<arrow::Schema> spine, const WindowEstimate& estimate,
                  const ExecuteOptions& options)
      : part_(std::move(partition)),
        wanted_bytes_(wanted_bytes),
        prototype_(prototype),
        spine_schema_(std::move(spine)),
        estimate_(estimate),
        options_(options),
        unit_ns_(NanosecondsPerUnit(*prototype.events->field(prototype.time_column)->type())) {}

  arrow::Result<std::vector<SizedCall>> Run() {
    const int64_t bytes = estimate_.EventBytes(part_.events);
    // A window has two ends, each in a slice; those of one set are in as many at least.
    const auto ends = static_cast<int64_t>(estimate_.windows().size()) + 2;
    limit_ = std::min({estimate_.MostUncut(), estimate_.BytesBeside(), wanted_bytes_});
    if (bytes / kMostSlicesBeside > limit_ / ends / 2) limit_ = estimate_.MostUncut();
    slice_bytes_ = std::max<int64_t>(limit_ / ends / 2, 1);
    VIAND_RETURN_NOT_OK(CutEvents(std::move(part_.events), kLeast, kMost, 0));
    // The other half is of summaries and sets.
    std::vector<SetSlice> sets = PlanSets(slices_, estimate_.windows(), TimesOfSets(), limit_ / 2);
    VIAND_RETURN_NOT_OK(CheckWhole(sets));
    VIAND_ASSIGN_OR_RETURN(const auto spine, DealSpine(sets));
    for (size_t i = 0; i < sets.size(); ++i) {
      const PartitionInputs& rows = prototype_.at_spine ? spine[i] : PartitionInputs{};
      if (prototype_.at_spine && RowsOf(rows) == 0) continue;
      VIAND_RETURN_NOT_OK(AddCalls(sets[i], rows));
    }
    return std::move(calls_);
  }

 private:
  /// A summary, and what it takes by estimate.
  struct Summarized {
    TableReference rows;
    int64_t bytes = 0;
  };

  /// Cuts tables of times from first_us to last_us into slices of slice_bytes_, where it can.
  arrow::Status CutEvents(PartitionInputs tables, int64_t first_us, int64_t last_us, int cuts) {
    const int64_t bytes = estimate_.EventBytes(tables);
    std::vector<int64_t> starts;
    if (bytes > slice_bytes_ && first_us < last_us && cuts < kMostCuts) {
      VIAND_ASSIGN_OR_RETURN(starts, StartsOf(tables, bytes, first_us, last_us));
    }
    if (starts.empty()) {
      // Beyond int64 times meet at its ends; finer units have several times in a microsecond.
      const bool instant =
          first_us == last_us && first_us > kLeast && last_us < kMost && unit_ns_ >= 1000;
      slices_.push_back({first_us, last_us, bytes, instant});
      tables_.push_back(std::move(tables));
      return arrow::Status::OK();
    }
    VIAND_ASSIGN_OR_RETURN(auto dealt,
                           Deal(std::move(tables), prototype_.events, prototype_.time_column,
                                estimate_.EventRowBytes(), starts));
    for (size_t slice = 0; slice < dealt.size(); ++slice) {
      VIAND_RETURN_NOT_OK(CutEvents(std::move(dealt[slice]),
                                    slice == 0 ? first_us : starts[slice - 1],
                                    slice < starts.size() ? starts[slice] - 1 : last_us, cuts + 1));
    }
    return arrow::Status::OK();
  }

  /// Where slices begin so that, were all times like a sample of them, they would be of one size.
  arrow::Result<std::vector<int64_t>> StartsOf(const PartitionInputs& tables, int64_t bytes,
                                               int64_t first_us, int64_t last_us) const {
    VIAND_ASSIGN_OR_RETURN(const std::vector<int64_t> sample, Sample(tables));
    std::vector<int64_t> starts;
    const auto add = [&](int64_t start) {
      if (start > (starts.empty() ? first_us : starts.back()) && start <= last_us)
        starts.push_back(start);
    };
    const auto count =
        static_cast<size_t>(std::clamp<int64_t>(bytes / slice_bytes_ + 2, 2, kMostSlices));
    for (size_t slice = 1; slice < count && !sample.empty(); ++slice) {
      const int64_t time = sample[sample.size() * slice / count];
      // One that comes twice may be that of many rows: a slice of its own.
      if (!starts.empty() && starts.back() == time && time < kMost)
        add(time + 1);
      else
        add(time);
    }
    if (starts.empty() && !sample.empty()) {
      add(sample.front());
      if (sample.front() < kMost) add(sample.front() + 1);
    }
    return starts;
  }

  /// Times of some rows, ascending, in the microseconds that they are in.
  arrow::Result<std::vector<int64_t>> Sample(const PartitionInputs& tables) const {
    PartitionInputs some;
    for (const TableReference& table : tables) {
      if (table->rows() > 0) some.push_back(table);
    }
    const size_t step = some.size() / kSampledTables + 1;
    for (size_t i = 0; i * step < some.size(); ++i) some[i] = some[i * step];
    some.resize((some.size() + step - 1) / step);
    VIAND_ASSIGN_OR_RETURN(const auto samples,
                           SomeRows(some, {prototype_.time_column}, kSampledTimes));
    std::vector<int64_t> times;
    for (const auto& table : samples) {
      for (const auto& chunk : table->column(0)->chunks()) {
        const Words words = Words::Of(chunk);
        for (int64_t i = 0; i < chunk->length(); ++i) {
          if (!words.IsNull(i)) times.push_back(MicrosecondIn(words[i], unit_ns_));
        }
      }
    }
    std::sort(times.begin(), times.end());
    return times;
  }

  /// Some columns of at most so many rows of each table, which are all that the driver sees of it.
  arrow::Result<Tables> SomeRows(const PartitionInputs& tables, std::vector<int> columns,
                                 int64_t rows) const {
    ArrangeFragment sample;
    sample.chosen = std::move(columns);
    sample.most_rows = rows;
    std::vector<FragmentCall> calls;
    for (const TableReference& table : tables) calls.push_back({sample, {table}});
    VIAND_ASSIGN_OR_RETURN(const auto results, options_.executor->RunStage(
                                                   "sample " + prototype_.described_as,
                                                   std::move(calls), options_.progress, nullptr));
    Tables samples;
    for (const auto& outputs : results) {
      VIAND_ASSIGN_OR_RETURN(samples.emplace_back(), options_.executor->Fetch(outputs[0]));
    }
    return samples;
  }

  /// The tables cut: those of each slice, in their order.
  arrow::Result<std::vector<PartitionInputs>> Deal(PartitionInputs tables,
                                                   const std::shared_ptr<arrow::Schema>& schema,
                                                   int time_column, int64_t row_bytes,
                                                   const std::vector<int64_t>& starts) const {
    MapFragment fragment;
    fragment.columns = schema;
    fragment.file_columns = schema->field_names();
    fragment.described_as = prototype_.described_as;
    fragment.time_column = time_column;
    for (int column = 0; column < schema->num_fields(); ++column)
      fragment.outputs.push_back(column);
    fragment.slices.starts_us = starts;
    fragment.partitions = fragment.slices.count();
    fragment.batch_rows = options_.batch_rows;
    std::vector<FragmentCall> calls;
    int64_t bytes = 0;
    for (TableReference& table : tables) {
      bytes += table->rows() * row_bytes;
      if (calls.empty() || bytes > estimate_.BytesScanned()) {
        calls.push_back({fragment, {}});
        bytes = table->rows() * row_bytes;
      }
      calls.back().inputs.push_back(std::move(table));
    }
    VIAND_ASSIGN_OR_RETURN(const auto results, options_.executor->RunStage(
                                                   "cut " + prototype_.described_as,
                                                   std::move(calls), options_.progress, nullptr));
    std::vector<PartitionInputs> dealt(fragment.partitions);
    for (const auto& outputs : results) {
      for (size_t slice = 0; slice < outputs.size(); ++slice) {
        if (outputs[slice]->rows() > 0) dealt[slice].push_back(outputs[slice]);
      }
    }
    return dealt;
  }

  std::vector<SetSlice> TimesOfSets() const {
    if (prototype_.at_spine) {
      if (part_.times.IsEmpty()) return {SetSlice{}};
      return CutSets(slices_, estimate_.windows(), part_.times.min_us.value_or(kLeast),
                     part_.times.max_us.value_or(kMost));
    }
    std::set<int64_t> cutoffs;
    for (const auto& of_task : part_.cutoffs_us) cutoffs.insert(of_task.begin(), of_task.end());
    std::vector<SetSlice> times;
    for (const int64_t cutoff : cutoffs) times.push_back({.first_us = cutoff, .last_us = cutoff});
    if (times.empty()) times.emplace_back();
    return times;
  }

  arrow::Status CheckWhole(const std::vector<SetSlice>& sets) const {
    const auto largest =
        std::max_element(sets.begin(), sets.end(),
                         [](const SetSlice& a, const SetSlice& b) { return a.bytes < b.bytes; });
    if (largest->bytes <= estimate_.BytesAlone()) return arrow::Status::OK();
    PartitionInputs whole;
    for (const int slice : largest->whole)
      whole.insert(whole.end(), tables_[slice].begin(), tables_[slice].end());
    return TooLarge(whole, largest->bytes);
  }

  arrow::Result<std::vector<PartitionInputs>> DealSpine(const std::vector<SetSlice>& sets) {
    if (!prototype_.at_spine) return std::vector<PartitionInputs>{};
    std::vector<int64_t> starts;
    for (size_t i = 1; i < sets.size(); ++i) starts.push_back(sets[i].first_us);
    if (starts.empty()) return std::vector<PartitionInputs>{std::move(part_.spine)};
    return Deal(std::move(part_.spine), spine_schema_, spine_schema_->num_fields() - 2,
                estimate_.SpineRowBytes(), starts);
  }

  /// Fragments of the sets of some times, each of as many rows of the spine as it may take.
  arrow::Status AddCalls(const SetSlice& set, const PartitionInputs& rows) {
    FragmentCall call{prototype_, {}};
    auto& fragment = std::get<WindowFragment>(call.fragment);
    PartitionInputs events, summaries;
    int64_t bytes = set.bytes;
    for (const int slice : set.whole)
      events.insert(events.end(), tables_[slice].begin(), tables_[slice].end());
    for (const SliceRun& run : set.summarized)
      VIAND_RETURN_NOT_OK(AddSummaries(run, &summaries, &bytes));
    fragment.summary_parts = static_cast<int>(summaries.size());
    for (size_t task = 0; task < fragment.tasks.size(); ++task) {
      auto& cutoffs = fragment.tasks[task].cutoffs_us;
      cutoffs.clear();
      for (const int64_t cutoff : part_.cutoffs_us[task]) {
        if (cutoff >= set.first_us && cutoff <= set.last_us) cutoffs.push_back(cutoff);
      }
    }

    if (bytes > estimate_.BytesAlone()) return TooLarge(summaries, bytes);
    events.insert(events.end(), summaries.begin(), summaries.end());
    size_t next = 0;
    do {
      FragmentCall part = call;
      PartitionInputs spine;
      while (next < rows.size() &&
             (spine.empty() ||
              bytes + estimate_.SetBytes(spine) + estimate_.SetBytes({rows[next]}) <= limit_))
        spine.push_back(rows[next++]);
      const int64_t all_bytes = bytes + estimate_.SetBytes(spine);
      std::get<WindowFragment>(part.fragment).spine_parts = static_cast<int>(spine.size());
      part.inputs = std::move(spine);
      part.inputs.insert(part.inputs.end(), events.begin(), events.end());
      calls_.push_back({std::move(part), all_bytes});
    } while (next < rows.size());
    return arrow::Status::OK();
  }

  /// The run as few summaries as there are: of aligned blocks, the largest that fit.
  arrow::Status AddSummaries(const SliceRun& run, PartitionInputs* summaries, int64_t* bytes) {
    for (int64_t at = run.first; at < run.end;) {
      int level = 0;
      int64_t size = 1;
      while (at % (size * kFanIn) == 0 && at + size * kFanIn <= run.end) {
        size *= kFanIn;
        ++level;
      }
      VIAND_ASSIGN_OR_RETURN(const Summarized summary, Summary(level, at / size));
      if (summary.rows->rows() > 0) summaries->push_back(summary.rows);
      *bytes += summary.bytes;
      at += size;
    }
    return arrow::Status::OK();
  }

  /// The summary of a block of kFanIn^level slices.
  arrow::Result<Summarized> Summary(int level, int64_t block) {
    if (summaries_.size() <= static_cast<size_t>(level)) {
      VIAND_RETURN_NOT_OK(SummarizeLevel(level));
    }
    return summaries_[level][block];
  }

  /// All blocks of a level are summarized side by side.
  arrow::Status SummarizeLevel(int level) {
    if (level > 0) VIAND_RETURN_NOT_OK(Summary(level - 1, 0).status());
    std::vector<FragmentCall> calls;
    std::vector<std::vector<size_t>> of_block;  // calls of each
    const auto add = [&](PartitionInputs inputs, int64_t bytes, int parts) -> arrow::Status {
      if (bytes > estimate_.BytesAlone()) return TooLarge(inputs, bytes);
      of_block.back().push_back(calls.size());
      calls.push_back({SummaryPrototype(parts), std::move(inputs)});
      return arrow::Status::OK();
    };
    if (level == 0) {
      for (const PartitionInputs& tables : tables_) {
        of_block.emplace_back();
        // An instant may have more rows than a fragment takes.
        PartitionInputs some;
        for (size_t i = 0; i < tables.size(); ++i) {
          some.push_back(tables[i]);
          const int64_t bytes = estimate_.EventBytes(some);
          if (i + 1 == tables.size() || bytes > limit_) {
            VIAND_RETURN_NOT_OK(add(std::exchange(some, {}), bytes, 0));
          }
        }
      }
    } else {
      const std::vector<Summarized>& below = summaries_[level - 1];
      for (size_t first = 0; first + kFanIn <= below.size(); first += kFanIn) {
        of_block.emplace_back();
        PartitionInputs some;
        int64_t bytes = 0;
        for (size_t i = first; i < first + kFanIn; ++i) {
          some.push_back(below[i].rows);
          bytes += below[i].bytes;
        }
        VIAND_RETURN_NOT_OK(add(std::move(some), bytes, kFanIn));
      }
    }
    return RunSummaries(std::move(calls), of_block);
  }

  arrow::Status RunSummaries(std::vector<FragmentCall> calls,
                             const std::vector<std::vector<size_t>>& of_block) {
    VIAND_ASSIGN_OR_RETURN(const auto results, RunSummarizing(std::move(calls)));
    std::vector<Summarized> level;
    for (const std::vector<size_t>& block : of_block) {
      PartitionInputs parts;
      for (const size_t call : block) parts.push_back(results[call][0]);
      if (parts.size() != 1) {
        const int count = static_cast<int>(parts.size());
        VIAND_ASSIGN_OR_RETURN(const auto one,
                               RunSummarizing({{SummaryPrototype(count), std::move(parts)}}));
        parts = {one[0][0]};
      }
      const int64_t bytes = estimate_.SummaryBytes(*parts[0]);
      level.push_back({std::move(parts[0]), bytes});
    }
    summaries_.push_back(std::move(level));
    return arrow::Status::OK();
  }

  arrow::Result<std::vector<std::vector<TableReference>>> RunSummarizing(
      std::vector<FragmentCall> calls) const {
    return options_.executor->RunStage("summarize " + prototype_.described_as, std::move(calls),
                                       options_.progress, nullptr);
  }

  WindowFragment SummaryPrototype(int summary_parts) const {
    WindowFragment fragment = prototype_;
    fragment.at_spine = false;
    fragment.spine_parts = 0;
    fragment.chunks = {};
    for (WindowTask& task : fragment.tasks) task.cutoffs_us.clear();
    fragment.summary_parts = summary_parts;
    fragment.summarize = true;
    return fragment;
  }

  static std::string Megabytes(int64_t bytes) { return Grouped((bytes + 999'999) / 1'000'000); }

  arrow::Status TooLarge(const PartitionInputs& events, int64_t bytes) const {
    const PlannedFeature* feature = estimate_.longest();
    const TimeWindow& window = estimate_.longest_window();
    const std::string what =
        feature == nullptr ? "" : fmt::format("feature \"{}\": ", feature->name);
    const std::string reach =
        window.unbounded ? "before its times"
                         : fmt::format("within {} of its times", FormatDuration(window.length_us));
    VIAND_ASSIGN_OR_RETURN(const std::string key, HeaviestKey(events));
    return ErrorAt(
        feature == nullptr ? SourceLocation{} : feature->where, ErrorKind::kInput,
        fmt::format("{}{} of {}{} take about {} MB, and a key may take {} MB", what,
                    Counted(RowsOf(events), "row"), key.empty() ? "all keys " : key + " ", reach,
                    Megabytes(bytes), Megabytes(estimate_.BytesAlone())),
        fmt::format(
            "give --memory {}MB or more{}", (2 * bytes + 999'999) / 1'000'000,
            window.unbounded ? ", or a window that is not unbounded" : ", or a shorter window"));
  }

  /// Of the largest table: one key has most of all.
  arrow::Result<std::string> HeaviestKey(const PartitionInputs& events) const {
    const auto largest =
        std::max_element(events.begin(), events.end(),
                         [](const auto& a, const auto& b) { return a->rows() < b->rows(); });
    if (largest == events.end() || prototype_.keys.empty()) return "";
    VIAND_ASSIGN_OR_RETURN(const Tables some, SomeRows({*largest}, prototype_.keys, kSampledKeys));
    std::vector<int> columns(prototype_.keys.size());
    std::iota(columns.begin(), columns.end(), 0);
    VIAND_ASSIGN_OR_RETURN(const auto keys, HeaviestKeys(columns, some));
    return keys.empty() ? "" : keys[0].key;
  }

  HeavyPartition part_;
  const int64_t wanted_bytes_;
  const WindowFragment& prototype_;
  const std::shared_ptr<arrow::Schema> spine_schema_;
  const WindowEstimate& estimate_;
  const ExecuteOptions& options_;
  const int64_t unit_ns_;
  int64_t limit_ = 0;        // of a fragment
  int64_t slice_bytes_ = 0;  // of a slice
  std::vector<EventSlice> slices_;
  std::vector<PartitionInputs> tables_;             // of each slice
  std::vector<std::vector<Summarized>> summaries_;  // by level, block
  std::vector<SizedCall> calls_;
};

}  // namespace

arrow::Result<std::vector<SizedCall>> CutPartition(HeavyPartition partition, int64_t wanted_bytes,
                                                   const WindowFragment& prototype,
                                                   const std::shared_ptr<arrow::Schema>& spine,
                                                   const WindowEstimate& estimate,
                                                   const ExecuteOptions& options) {
  return PartitionCutter(std::move(partition), wanted_bytes, prototype, spine, estimate, options)
      .Run();
}

}  // namespace viand::engine
