// Small tables of keys: the rows that a model without snapshots scores.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/offline/view_plan.h"

namespace arrow {
class Table;
}

namespace viand::offline {

/// The spine's key columns that a list of lookups needs, each once, in order of first use.
std::vector<std::string> SpineKeysOf(const std::vector<LookupRequest>& requests);

/// Each combination of `keys` once, in order of first appearance; rows with a null key are left
/// out.
arrow::Result<std::shared_ptr<arrow::Table>> DistinctKeys(const arrow::Table& table,
                                                          const std::vector<std::string>& keys);

/// Adds event_timestamp (timestamp[us, UTC]) with one value.
arrow::Result<std::shared_ptr<arrow::Table>> StampWith(const std::shared_ptr<arrow::Table>& table,
                                                       int64_t time_us);

/// The greatest time of a column; kInput where there is none.
arrow::Result<int64_t> LatestTimeUs(const arrow::Table& table, const std::string& column);

}  // namespace viand::offline
