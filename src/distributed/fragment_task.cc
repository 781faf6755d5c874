#include "src/distributed/fragment_task.h"

#include <arrow/buffer.h>
#include <arrow/table.h>

#include <algorithm>
#include <utility>

#include "src/common/block_pool.h"
#include "src/distributed/table_stream.h"
#include "src/engine/kept_scans.h"
#include "src/engine/table_bytes.h"

namespace viand::distributed {
namespace {

/// 1 / share: of a task's memory, what a worker keeps for the next, and how much of that may be
/// rows that it has read.
constexpr int64_t kRetainedShare = 8;
constexpr int64_t kScansShare = 2;
constexpr int64_t kMostScansBytes = 256 << 20;

int64_t RetainedBytes(const Task& task) {
  if (task.memory_bytes <= 0) return BlockPool::kRetainedBytes;
  return std::min(task.memory_bytes / kRetainedShare, BlockPool::kRetainedBytes);
}

/// What this process has read; never destroyed, as the pool of its tables.
engine::KeptScans* ProcessScans() {
  static auto* const scans = new engine::KeptScans;
  return scans;
}

/// Bounds what is kept from one task to the next.
void BoundKept(const Task& task) {
  const int64_t retained = RetainedBytes(task);
  ProcessScans()->SetLimit(std::min(retained / kScansShare, kMostScansBytes));
  ProcessPool()->SetRetainedLimit(retained - ProcessScans()->bytes());
}

arrow::Result<engine::Tables> Run(std::string_view message,
                                  const std::vector<std::shared_ptr<arrow::Buffer>>& inputs,
                                  engine::FragmentCounters* counters) {
  VIAND_ASSIGN_OR_RETURN(const Task task, ParseTask(message));
  BoundKept(task);
  engine::Tables tables;
  for (const auto& input : inputs) {
    VIAND_ASSIGN_OR_RETURN(tables.emplace_back(), ParseTable(input));
  }
  return engine::ExecuteFragment(
      task.fragment, tables, {.counters = task.count ? counters : nullptr, .kept = ProcessScans()});
}

}  // namespace

FragmentOutcome RunFragmentTask(std::string_view task,
                                const std::vector<std::shared_ptr<arrow::Buffer>>& inputs) {
  TaskResult result;
  auto run = Run(task, inputs, &result.counters);
  result.status = run.status();
  engine::Tables tables;
  if (run.ok()) tables = *std::move(run);
  for (const auto& table : tables)
    result.outputs.push_back({"", table->num_rows(), engine::BytesInMemory(*table)});
  return {std::move(result), std::move(tables)};
}

arrow::Result<std::shared_ptr<arrow::Buffer>> FragmentOutcome::Take(int index) {
  VIAND_ASSIGN_OR_RETURN(auto bytes, SerializeTable(std::exchange(tables_[index], nullptr)));
  result_.counters.sent_bytes += bytes->size();
  return bytes;
}

}  // namespace viand::distributed
