#include "src/engine/window_estimate.h"

#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "src/common/memory_size.h"
#include "src/engine/bind_view.h"
#include "src/engine/executor.h"
#include "src/engine/memory_shares.h"
#include "src/engine/plain_array.h"
#include "src/engine/sliding_aggregates.h"
#include "src/engine/window_summary.h"

namespace viand::engine {
namespace {

// Bytes that the kernels take, beside the tables that come in and their rows in one piece: for an
// event its group, place and time, for what does not slide its membership in sets and sorted
// copies; for a set its group, place, time and spans, and for a feature of one its value in the
// order of the sets, where it was found, and in the order of the spine.
constexpr int64_t kSlidingEventBytes = 24;
constexpr int64_t kOtherEventBytes = 128;
/// Of the trees of mode and gap.
constexpr int64_t kTreeNodeBytes = 64;
constexpr int64_t kSetBytes = 64;
constexpr int64_t kFeatureBytes = 24;

constexpr int64_t kNoBound = std::numeric_limits<int64_t>::max();

/// What a row of the events takes: texts as long as those of the tables are.
int64_t MeasuredRowBytes(const arrow::Schema& schema, const std::vector<PartitionInputs>& events) {
  // Texts are never estimated as shorter than usual ones.
  const int64_t usual = RowBytes(schema);
  const bool has_texts = std::any_of(
      schema.fields().begin(), schema.fields().end(),
      [](const auto& field) { return arrow::is_base_binary_like(field->type()->id()); });
  if (!has_texts) return usual;
  int64_t bytes = 0, rows = 0;
  for (const PartitionInputs& partition : events) {
    for (const TableReference& table : partition) {
      bytes += table->bytes();
      rows += table->rows();
    }
  }
  return rows == 0 ? usual : std::max(usual, bytes / rows);
}

}  // namespace

arrow::Result<WindowEstimate> WindowEstimate::Make(const WindowFragment& prototype,
                                                   const std::shared_ptr<arrow::Schema>& spine,
                                                   const std::vector<PartitionInputs>& events,
                                                   const ExecuteOptions& options) {
  WindowEstimate out;
  // No budget is less than the least that there may be: one of a byte only spills all.
  const int64_t memory = options.executor->MemoryBytes();
  out.budget_ = memory == 0 ? 0 : std::max(memory, kLeastMemoryBytes);
  const int64_t alone = options.executor->FragmentMemoryBytes();
  out.alone_budget_ = alone == 0 ? 0 : std::max(alone, kLeastMemoryBytes);
  out.cores_ = std::max(1, options.executor->Parallelism());
  out.cut_bytes_ = options.cut_bytes;
  for (const WindowTask& task : prototype.tasks) VIAND_RETURN_NOT_OK(out.Add(task, prototype));
  out.event_row_bytes_ = RowBytes(*prototype.events);
  if (memory > 0) out.event_row_bytes_ = MeasuredRowBytes(*prototype.events, events);
  // As they come in, in one piece, and what is read of them in the order of time.
  out.event_bytes_ = 3 * out.event_row_bytes_ +
                     (out.all_slide_ ? kSlidingEventBytes : kOtherEventBytes) +
                     (out.has_trees_ ? kTreeNodeBytes : 0);
  if (prototype.at_spine) {
    out.spine_row_bytes_ = RowBytes(*spine);
    out.set_bytes_ = 2 * out.spine_row_bytes_ + kSetBytes + out.features_ * kFeatureBytes;
  }
  return out;
}

arrow::Status WindowEstimate::Add(const WindowTask& task, const WindowFragment& prototype) {
  VIAND_ASSIGN_OR_RETURN(const WindowSpec spec,
                         BindWindowSpec(task.features, task.existence, task.having,
                                        PlainSchema(*prototype.events), prototype.described_as));
  AddWindow(task.existence, spec.having ? &*spec.having : nullptr, nullptr);
  for (size_t i = 0; i < spec.features.size(); ++i)
    AddWindow(task.features[i].window, &spec.features[i].aggregation, &task.features[i],
              task.features[i].function == nullptr);
  features_ += static_cast<int64_t>(task.features.size());
  return arrow::Status::OK();
}

void WindowEstimate::AddWindow(const TimeWindow& window, const expression::Aggregation* aggregation,
                               const PlannedFeature* feature, bool merges) {
  for (size_t i = 0; aggregation != nullptr && i < aggregation->calls.size(); ++i) {
    const expression::AggregateCall& call = *aggregation->calls[i];
    merges &= Merges(call);
    has_trees_ |= HasGap(call) || call.function == expression::AggregateFunction::kMode;
    for (const auto& inner : call.per_calls)
      has_trees_ |= HasGap(*inner) || inner->function == expression::AggregateFunction::kMode;
    all_slide_ &= call.per_keys.empty() && call.order_by == nullptr && !HasGap(call) &&
                  SlidesOverSpans(call.function);
  }
  const auto known = std::find_if(windows_.begin(), windows_.end(),
                                  [&](const WindowReach& some) { return some.window == window; });
  if (known == windows_.end())
    windows_.push_back({window, merges});
  else
    known->merges &= merges;
  const auto weight = [](bool merges_too, const TimeWindow& of) {
    return std::tuple(!merges_too, of.unbounded ? kNoBound : of.length_us);
  };
  if (has_longest_ && weight(merges, window) < weight(longest_merges_, longest_window_)) return;
  if (has_longest_ && weight(merges, window) == weight(longest_merges_, longest_window_) &&
      longest_ != nullptr)
    return;
  has_longest_ = true;
  std::tie(longest_merges_, longest_window_, longest_) = std::tuple(merges, window, feature);
}

int64_t WindowEstimate::SummaryBytes(const TableHandle& summary) const {
  // Few rows have tallies, so their bytes are looked at: as they come, and as they are read.
  return summary.rows() * event_bytes_ + 2 * summary.bytes();
}

int64_t WindowEstimate::BytesAlone() const {
  return alone_budget_ == 0 ? kNoBound : alone_budget_ / kLargestShare;
}

int64_t WindowEstimate::BytesBeside() const {
  return budget_ == 0 ? kNoBound : budget_ / kReduceShare / cores_;
}

int64_t WindowEstimate::BytesScanned() const {
  return budget_ == 0 ? kNoBound : budget_ / kScanShare / cores_;
}

}  // namespace viand::engine
