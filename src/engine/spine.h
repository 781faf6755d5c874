// The spine of a retrieval: read whole, since every column of it is in the result, untouched.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/open_scan.h"

namespace viand::engine {

struct Spine {
  std::shared_ptr<arrow::Table> table;        ///< as it will be returned
  std::shared_ptr<arrow::ChunkedArray> time;  ///< of a time type
  TimeRange range;                            ///< of `time`
  std::string described_as;
};

/// Reads the rows that pass the scan's filter. `csv_types` as OpenScan. A missing time column names
/// the nearest; one that is no time says how to make it one.
arrow::Result<Spine> ReadSpine(
    const RetrievalPlan& plan,
    const std::map<std::string, std::shared_ptr<arrow::DataType>>& csv_types,
    const ExecuteOptions& options);

/// Returns the spine's named key columns, then its time, as a scan. A column of nulls without a
/// type gets the one of `types`, parallel to `keys`.
arrow::Result<OpenedScan> KeysOf(const Spine& spine, const std::vector<std::string>& keys,
                                 const std::vector<std::shared_ptr<arrow::DataType>>& types);

}  // namespace viand::engine
