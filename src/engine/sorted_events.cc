#include "src/engine/sorted_events.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
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
                                                                arrow::MemoryPool* pool) {
  VIAND_RETURN_NOT_OK(CheckEvents(events));
  const int64_t unit_ns = NanosecondsPerUnit(*events.time->type());
  std::unique_ptr<SortedEvents> sorted(
      new SortedEvents(std::move(events), unit_ns, pool != nullptr ? pool : ProcessPool()));
  VIAND_ASSIGN_OR_RETURN(sorted->keys_,
                         KeyIndex::Make(sorted->events_.keys, sorted->events_.time->length(), {}));
  sorted->Sort();
  return sorted;
}

void SortedEvents::Sort() {
  const arrow::Array& time = *events_.time;
  const Words words = Words::Of(events_.time);
  const bool any_null = time.null_count() != 0;
  KeyRuns runs = KeyRuns::Make(keys_.groups(), keys_.size(), words.data(),
                               [&](int64_t row) { return !any_null || time.IsValid(row); });
  const auto rows = static_cast<int64_t>(runs.rows.size());
  std::shared_ptr<arrow::Array> order;
  if (!runs.in_order || rows != time.length()) {
    order_ = std::move(runs.rows);
    order = std::make_shared<arrow::Int32Array>(rows, arrow::Buffer::Wrap(order_.data(), rows));
  }
  for (const auto& [name, tallies] : events_.tallies)
    tallies_.emplace(name, order == nullptr ? tallies : tallies.InOrder(order_));
  all_.begin = std::move(runs.begin);
  all_.time = std::move(runs.time);
  values_.emplace(events_.columns, pool_, std::move(order));
}

arrow::Result<EventRuns> SortedEvents::Passing(const expression::Expression& condition) {
  VIAND_ASSIGN_OR_RETURN(const AggregateValues* holds, values_->Of(condition));
  const int64_t* words = holds->Integers();
  const bool nulls = holds->HasNulls();
  EventRuns runs;
  auto rows = std::make_shared<PoolVector<int32_t>>();
  runs.begin.reserve(all_.begin.size());
  rows->reserve(all_.time.size());
  runs.time.reserve(all_.time.size());
  for (int64_t key = 0; key < all_.keys(); ++key) {
    for (int32_t row = all_.begin[key]; row < all_.begin[key + 1]; ++row) {
      if (words[row] == 0 || (nulls && holds->IsNull(row))) continue;
      rows->push_back(row);
      runs.time.push_back(all_.time[row]);
    }
    runs.begin.push_back(static_cast<int32_t>(rows->size()));
  }
  runs.rows = std::move(rows);
  return runs;
}

const RowTallies* SortedEvents::TalliesOf(const TalliedRows& rows) const {
  if (tallies_.empty()) return nullptr;
  const auto found = tallies_.find(rows.Name());
  return found == tallies_.end() ? nullptr : &found->second;
}

arrow::Result<std::shared_ptr<arrow::Array>> SortedEvents::PlacesOf(
    const PoolVector<int32_t>& positions) const {
  arrow::Int32Builder rows(pool_);
  VIAND_RETURN_NOT_OK(rows.Reserve(static_cast<int64_t>(positions.size())));
  for (const int32_t position : positions)
    rows.UnsafeAppend(order_.empty() ? position : order_[position]);
  return rows.Finish();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SortedEvents::RowsAt(
    const PoolVector<int32_t>& positions) const {
  VIAND_ASSIGN_OR_RETURN(const auto indices, PlacesOf(positions));
  arrow::compute::ExecContext context(pool_);
  VIAND_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(events_.columns, indices, arrow::compute::TakeOptions::NoBoundsCheck(),
                           &context));
  return taken.record_batch();
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
