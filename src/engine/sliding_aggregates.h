// The aggregates that slide over spans (count, sum, avg, min, max, first, last), those of one
// argument over all windows together: a sum is the difference of two sums from a key's start, and
// windows that end at t share one queue of what may yet be an extreme. O(rows + sets) for each
// function, whatever the lengths. Thread-safe.
#pragma once

#include <vector>

#include "src/engine/aggregate_function.h"
#include "src/engine/window_spans.h"

namespace viand::engine {

/// Tells whether AggregateSpans computes a function.
bool SlidesOverSpans(expression::AggregateFunction function);

struct SlidingCall {
  const expression::AggregateCall* call;
  const Spans* spans;  ///< over rows whose value is not null
};

/// Returns one result a call: as AggregateSets does, of the calls' common `values`, which are null
/// for count(*).
std::vector<arrow::Result<std::shared_ptr<arrow::Array>>> AggregateSpans(
    const std::vector<SlidingCall>& calls, AggregateValues* values, const Sets& sets,
    const AggregateContext& context);

}  // namespace viand::engine
