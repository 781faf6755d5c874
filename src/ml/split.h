// Which rows a model learns from and which it is tested on, by time: every test row is later than
// every training row. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/definition/model.h"

namespace arrow {
class ChunkedArray;
}

namespace viand::ml {

/// Row numbers of a table, each side ascending; together every row once.
struct RowSplit {
  std::vector<int64_t> train;
  std::vector<int64_t> test;
};

/// Splits by a column of times (timestamp of any unit and zone, a naive one being UTC; or a date):
/// kLastSnapshot tests on the rows of the greatest time, kAfter on the rows later than after_us,
/// kFraction on the latest `fraction` of the rows; rows of equal time stay together, so there the
/// test side may be larger. kInput errors: a null time, another type, a side without rows. `column`
/// is the column's name, for these.
arrow::Result<RowSplit> SplitRows(const arrow::ChunkedArray& times, const definition::Split& split,
                                  const std::string& column);

/// Prints a split as its definition says it: "last_snapshot", "after 2011-10-27 08:26:00", "the
/// latest 0.2 by time".
std::string SplitText(const definition::Split& split);

}  // namespace viand::ml
