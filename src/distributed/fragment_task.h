// The body of a cluster's task: one fragment, its inputs and outputs in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/distributed/task_message.h"
#include "src/engine/execute_fragment.h"

namespace arrow {
class Buffer;
}

namespace viand::distributed {

/// What a fragment put out, until it is taken. Not thread-safe.
class FragmentOutcome {
 public:
  FragmentOutcome(TaskResult result, engine::Tables tables)
      : result_(std::move(result)), tables_(std::move(tables)) {}

  int table_count() const { return static_cast<int>(tables_.size()); }
  bool has(int index) const {
    return index >= 0 && index < table_count() && tables_[index] != nullptr;
  }
  /// A table that it has as a message (table_stream.h); its memory is let go.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Take(int index);

  /// A TaskResult message, whose outputs have no path; counters tell what was taken until now.
  std::string Result() const { return SerializeResult(result_); }

 private:
  TaskResult result_;
  engine::Tables tables_;  // none where it failed
};

/// Runs a Task message without paths. `inputs` are tables' messages, in which they may lie until
/// the outcome is gone. Never fails but by its result.
FragmentOutcome RunFragmentTask(std::string_view task,
                                const std::vector<std::shared_ptr<arrow::Buffer>>& inputs);

}  // namespace viand::distributed
