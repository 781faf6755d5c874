#include "src/engine/sorted_events.h"

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "src/engine/exact_words.h"

namespace viand::engine {
namespace {

arrow::Status CheckEvents(const EventRows& events) {
  if (events.columns->num_rows() != events.time->length()) {
    return arrow::Status::Invalid("events of ", events.columns->num_rows(), " rows with ",
                                  events.time->length(), " times");
  }
  if (events.time->length() > kMostWindowRows) {
    return TooLargePartition(std::to_string(events.time->length()) + " rows", kMostWindowRows);
  }
  return CheckTime(*events.time, "the events' timestamp");
}

}  // namespace

arrow::Status TooLargePartition(const std::string& what, int64_t most) {
  return MakeError(ErrorKind::kInput, "a partition of " + what + " is too large",
                   "at most " + std::to_string(most) + " fit one: use more partitions");
}

arrow::Result<std::unique_ptr<SortedEvents>> SortedEvents::Make(EventRows events,
                                                                const arrow::Array* spine_time,
                                                                arrow::MemoryPool* pool) {
  VIAND_RETURN_NOT_OK(CheckEvents(events));
  std::vector<const arrow::Array*> times = {events.time.get()};
  if (spine_time != nullptr) times.push_back(spine_time);
  std::unique_ptr<SortedEvents> sorted(new SortedEvents(
      std::move(events), CommonTick(times), pool != nullptr ? pool : arrow::default_memory_pool()));
  const arrow::Array& time = *sorted->events_.time;
  VIAND_ASSIGN_OR_RETURN(sorted->keys_, KeyIndex::Make(sorted->events_.keys, time.length(), {}));
  const Ticks ticks = ReadTicks<__int128>(Words::Of(sorted->events_.time), *time.type(),
                                          time.length(), sorted->tick_ns_);
  const bool any_null = time.null_count() != 0;
  EventRuns& all = sorted->all_;
  all.rows = KeyRuns::Make(sorted->keys_.groups(), sorted->keys_.size(),
                           [&](int64_t row) { return !any_null || time.IsValid(row); });
  SortByTime(ticks, &all.rows);
  all.time.reserve(all.rows.rows.size());
  for (const int64_t row : all.rows.rows) all.time.push_back(ticks[row]);
  return sorted;
}

arrow::Result<EventRuns> SortedEvents::Passing(const expression::Expression& condition) {
  VIAND_ASSIGN_OR_RETURN(const AggregateValues* holds, values_.Of(condition));
  EventRuns runs;
  runs.rows.begin = {0};
  for (int64_t key = 0; key < all_.rows.groups(); ++key) {
    for (int64_t i = all_.rows.begin[key]; i < all_.rows.begin[key + 1]; ++i) {
      const int64_t row = all_.rows.rows[i];
      if (holds->IsNull(row) || holds->Integers()[row] == 0) continue;
      runs.rows.rows.push_back(row);
      runs.time.push_back(all_.time[i]);
    }
    runs.rows.begin.push_back(static_cast<int64_t>(runs.rows.rows.size()));
  }
  return runs;
}

std::string SortedEvents::NameKey(int32_t key) const {
  if (key >= keys_.size()) return "unknown";
  std::string text = "(";
  for (const auto& column : events_.keys) {
    const auto scalar = column->GetScalar(keys_.first_rows()[key]);
    text += (text.size() > 1 ? ", " : "") + (scalar.ok() ? (*scalar)->ToString() : "?");
  }
  return text + ")";
}

}  // namespace viand::engine
