// Puts rows that an executor holds in order over all of them: each table by itself, cut where a
// sample says, and the parts of one place put together. None of them passes through the driver.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/engine/map_stage.h"

namespace viand::engine {

/// The fields of an ArrangeFragment, of all rows together.
struct Arrangement {
  std::vector<int> chosen;
  std::shared_ptr<arrow::Schema> columns;  ///< not null
  std::vector<int> order;                  ///< not empty
  int distinct = 0;
  int dropped = 0;
  std::optional<int64_t> time_us;
  std::string time_name = {};
  std::string described_as = {};  ///< for people: what is ordered
};

/// Tables which one after another are the rows in order: at least one.
arrow::Result<PartitionInputs> RunArrangeStage(const PartitionInputs& tables,
                                               const Arrangement& arrangement,
                                               const ExecuteOptions& options);

}  // namespace viand::engine
