// What a view needs of its source: columns found from its expressions, and the span of time that it
// can reach.
#pragma once

#include <string>
#include <vector>

#include "src/engine/open_scan.h"
#include "src/engine/plan.h"
#include "src/engine/time_range.h"

namespace viand::engine {

/// Columns that the view's expressions, keys and time read, each once, keys and time first. Binds
/// the expressions, so that an error of theirs comes before any row is read.
arrow::Result<std::vector<std::string>> ColumnsOfView(const WindowView& view,
                                                      const OpenedScan& source);

/// Columns of which the view's aggregates need only which values are equal: every use is a key of
/// `per` or the argument of count(distinct ...).
arrow::Result<std::vector<std::string>> ColumnsComparedOnly(const WindowView& view,
                                                            const OpenedScan& source);

/// Times of the base rows that the view's windows can hold as of any time in `times`.
TimeRange ReachOf(const WindowView& view, const TimeRange& times);

/// Times of the feature rows that can match as of any time in `times`.
TimeRange ReachOf(const AsOfView& view, const TimeRange& times);

/// Fails unless the column is there and is one of time; `name` of `scan`.
arrow::Status CheckTimeColumn(const OpenedScan& scan, const std::string& name);

}  // namespace viand::engine
