// The body of a cluster's task: one fragment, its inputs and outputs in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/engine/execute_fragment.h"

namespace arrow {
class Buffer;
}

namespace viand::distributed {

struct FragmentOutcome {
  std::string result;     ///< a TaskResult message, whose outputs have no path
  engine::Tables tables;  ///< none where it failed
};

/// Runs a Task message without paths. `inputs` are Arrow IPC streams, in which tables may lie until
/// the outcome is gone. Never fails but by its result.
FragmentOutcome RunFragmentTask(std::string_view task,
                                const std::vector<std::shared_ptr<arrow::Buffer>>& inputs);

}  // namespace viand::distributed
