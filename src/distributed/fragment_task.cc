#include "src/distributed/fragment_task.h"

#include <arrow/buffer.h>
#include <arrow/table.h>

#include <algorithm>
#include <utility>

#include "src/common/block_pool.h"
#include "src/distributed/table_stream.h"

namespace viand::distributed {
namespace {

/// 1 / share: of a task's memory, what a worker keeps for the next.
constexpr int64_t kRetainedShare = 8;

int64_t RetainedBytes(const Task& task) {
  if (task.memory_bytes <= 0) return BlockPool::kRetainedBytes;
  return std::min(task.memory_bytes / kRetainedShare, BlockPool::kRetainedBytes);
}

arrow::Result<engine::Tables> Run(std::string_view message,
                                  const std::vector<std::shared_ptr<arrow::Buffer>>& inputs,
                                  engine::FragmentCounters* counters) {
  VIAND_ASSIGN_OR_RETURN(const Task task, ParseTask(message));
  ProcessPool()->SetRetainedLimit(RetainedBytes(task));
  engine::Tables tables;
  for (const auto& input : inputs) {
    VIAND_ASSIGN_OR_RETURN(tables.emplace_back(), ParseTable(input));
  }
  return engine::ExecuteFragment(task.fragment, tables,
                                 {.counters = task.count ? counters : nullptr});
}

}  // namespace

FragmentOutcome RunFragmentTask(std::string_view task,
                                const std::vector<std::shared_ptr<arrow::Buffer>>& inputs) {
  TaskResult result;
  auto run = Run(task, inputs, &result.counters);
  result.status = run.status();
  engine::Tables tables;
  if (run.ok()) tables = *std::move(run);
  for (const auto& table : tables) result.outputs.push_back({"", table->num_rows()});
  return {std::move(result), std::move(tables)};
}

arrow::Result<std::shared_ptr<arrow::Buffer>> FragmentOutcome::Take(int index) {
  VIAND_ASSIGN_OR_RETURN(auto bytes, SerializeTable(std::exchange(tables_[index], nullptr)));
  result_.counters.sent_bytes += bytes->size();
  return bytes;
}

}  // namespace viand::distributed
