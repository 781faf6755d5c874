// Features that Python functions make of the rows of windows: cuts the rows of the sets into
// batches of whole sets and has each called (function_worker.h). Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/engine/function_worker.h"
#include "src/engine/window_aggregate.h"

namespace viand::engine {

class FunctionCalls {
 public:
  /// Who makes a call: CallFunction, or a test's own.
  using Caller =
      std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>(const FunctionBatch& batch)>;

  /// Keeps the references. `as_of`: of each set, timestamp[us].
  FunctionCalls(SortedEvents* events, const WindowSpec& spec, const Sets& sets,
                std::shared_ptr<arrow::Array> as_of, Caller caller = CallFunction)
      : events_(*events),
        spec_(spec),
        sets_(sets),
        as_of_(std::move(as_of)),
        caller_(std::move(caller)) {}

  using SpanMaker = std::function<Spans(const TimeWindow& window)>;

  /// Returns one value a set, null for one without rows, which the function does not see. Features
  /// of the spec that are results of one call over one window are computed with the first of them.
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const WindowFeature& feature,
                                                        const SpanMaker& spans_of);

 private:
  struct Batch {
    PoolVector<int32_t> rows;    ///< in the order of the events' `all`
    PoolVector<int32_t> groups;  ///< of each row, from 0
    PoolVector<int64_t> sets;    ///< of each group
    PoolVector<int32_t> keys;    ///< of each group
  };
  using Columns = std::vector<std::shared_ptr<arrow::Array>>;

  arrow::Status Call(const WindowFeature& feature, const Spans& spans);
  int64_t MostRows(const WindowFeature& feature) const;
  arrow::Result<Columns> CallBatch(const WindowFeature& feature, const Batch& batch,
                                   const std::shared_ptr<arrow::Schema>& results) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> GroupsOf(const Batch& batch) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowsOf(const WindowFeature& feature,
                                                            const Batch& batch) const;
  arrow::Result<std::shared_ptr<arrow::Array>> TimesOf(const Batch& batch) const;

  SortedEvents& events_;
  const WindowSpec& spec_;
  const Sets& sets_;
  const std::shared_ptr<arrow::Array> as_of_;
  const Caller caller_;
  std::vector<std::pair<const WindowFeature*, std::shared_ptr<arrow::Array>>> known_;
};

}  // namespace viand::engine
