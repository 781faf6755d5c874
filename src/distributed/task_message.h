// A fragment and its inputs as a file, and what came of it as another: how a fresh process is told
// and answers (src/engine/plan.fbs, docs/formats/plan.md). Tables travel beside them as Arrow IPC
// files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/engine/fragment.h"
#include "src/engine/plan_counters.h"

namespace viand::distributed {

struct Task {
  engine::Fragment fragment;
  std::vector<std::string> inputs;  ///< paths of Arrow IPC files
  bool count = false;               ///< whether the result shall have counters
  int64_t memory_bytes = 0;         ///< what it may take; 0: no bound
};

struct TaskOutput {
  std::string path;
  int64_t rows = 0;
  int64_t bytes = 0;  ///< engine::BytesInMemory

  bool operator==(const TaskOutput&) const = default;
};

/// What a task came to: its outputs, or an error with kind, place and hint.
struct TaskResult {
  arrow::Status status;
  std::vector<TaskOutput> outputs;
  engine::FragmentCounters counters = {};
};

arrow::Result<std::string> SerializeTask(const Task& task);
/// Damaged bytes are kInput.
arrow::Result<Task> ParseTask(std::string_view bytes);

std::string SerializeResult(const TaskResult& result);
/// Damaged bytes are kInput.
arrow::Result<TaskResult> ParseResult(std::string_view bytes);

}  // namespace viand::distributed
