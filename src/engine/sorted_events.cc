#include "src/engine/sorted_events.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "src/common/block_pool.h"
#include "src/engine/exact_words.h"
#include "src/engine/key_runs.h"

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
  std::unique_ptr<SortedEvents> sorted(new SortedEvents(std::move(events), CommonTick(times),
                                                        pool != nullptr ? pool : ProcessPool()));
  VIAND_ASSIGN_OR_RETURN(sorted->keys_,
                         KeyIndex::Make(sorted->events_.keys, sorted->events_.time->length(), {}));
  VIAND_RETURN_NOT_OK(sorted->Sort());
  return sorted;
}

arrow::Status SortedEvents::Sort() {
  const arrow::Array& time = *events_.time;
  const Ticks ticks =
      ReadTicks<__int128>(Words::Of(events_.time), *time.type(), time.length(), tick_ns_);
  const bool any_null = time.null_count() != 0;
  KeyRuns runs = KeyRuns::Make(keys_.groups(), keys_.size(),
                               [&](int64_t row) { return !any_null || time.IsValid(row); });
  SortByTime(ticks, &runs);
  const auto rows = static_cast<int64_t>(runs.rows.size());
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> order,
                         arrow::AllocateBuffer(rows * sizeof(int32_t), pool_));
  auto* row_at = reinterpret_cast<int32_t*>(order->mutable_data());
  bool in_order = rows == time.length();
  all_.begin = std::move(runs.begin);
  all_.time.resize(rows);
  for (int64_t position = 0; position < rows; ++position) {
    const int64_t row = runs.rows[position];
    row_at[position] = static_cast<int32_t>(row);
    all_.time[position] = ticks[row];
    in_order &= row == position;
  }
  values_.emplace(events_.columns, pool_,
                  in_order ? nullptr : std::make_shared<arrow::Int32Array>(rows, order));
  return arrow::Status::OK();
}

arrow::Result<EventRuns> SortedEvents::Passing(const expression::Expression& condition) {
  VIAND_ASSIGN_OR_RETURN(const AggregateValues* holds, values_->Of(condition));
  const int64_t* words = holds->Integers();
  const bool nulls = holds->HasNulls();
  EventRuns runs;
  runs.begin.reserve(all_.begin.size());
  runs.rows.reserve(all_.time.size());
  runs.time.reserve(all_.time.size());
  for (int64_t key = 0; key < all_.keys(); ++key) {
    for (int64_t row = all_.begin[key]; row < all_.begin[key + 1]; ++row) {
      if (words[row] == 0 || (nulls && holds->IsNull(row))) continue;
      runs.rows.push_back(static_cast<int32_t>(row));
      runs.time.push_back(all_.time[row]);
    }
    runs.begin.push_back(static_cast<int64_t>(runs.rows.size()));
  }
  // An empty list of rows would mean all of them.
  if (runs.rows.empty()) runs.rows.push_back(0);
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
