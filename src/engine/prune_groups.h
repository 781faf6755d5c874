// Leaves out what cannot matter to a plan before it is read: files by what their folders say, row
// groups by their statistics.
#pragma once

#include <string>
#include <vector>

#include "src/engine/key_bounds.h"
#include "src/engine/open_scan.h"
#include "src/engine/time_range.h"
#include "src/expression/expression.h"

namespace viand::engine {

/// What a plan wants of a scan's rows. Rows outside may be left out; those inside never are.
struct ScanBounds {
  expression::ExpressionPtr filter;  ///< null: all pass
  std::string time_column;
  TimeRange range;  ///< of the time column
  std::vector<KeyBound> keys;
};

/// Drops row groups of which no row is inside. What was there and what is left are in scan->counts.
void PruneGroups(const ScanBounds& bounds, OpenedScan* scan);

}  // namespace viand::engine
