// Summaries of events: for windows that have all rows of a span of time or none of them, a few rows
// of a key stand for all. Kept are those that may be a minimum, a first, a last ...; what the
// others add to counts and sums goes along with one that is kept (row_tallies.h). A summary of
// summaries is one of all their rows, and the kernel takes it as it takes events, so what comes out
// is the same to the last bit. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "src/engine/row_tallies.h"
#include "src/engine/sorted_events.h"
#include "src/engine/window_aggregate.h"

namespace arrow {
class Schema;
}

namespace viand::engine {

/// Tells whether summaries do for a call: count, sum, avg, stddev, var, min, max, first, last, any,
/// all, approx_count_distinct and last_n of some thousands at most, without `per` and gap.
bool Merges(const expression::AggregateCall& call);

/// Which rows the calls of views are tallied by, those that merge; each once, in their order.
std::vector<TalliedRows> TalliedRowsOf(const std::vector<WindowSpec>& specs);

/// Of a summary's table: the events' columns, and binary Tallies for each TalliedRows.
std::shared_ptr<arrow::Schema> SummarySchema(const arrow::Schema& events, size_t tallied);

/// Returns the summary. `events` have the tallies of what they summarize already.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> Summarize(SortedEvents* events,
                                                             const std::vector<WindowSpec>& specs);

}  // namespace viand::engine
