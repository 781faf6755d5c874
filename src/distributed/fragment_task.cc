#include "src/distributed/fragment_task.h"

#include <arrow/table.h>

#include "src/distributed/table_stream.h"
#include "src/distributed/task_message.h"

namespace viand::distributed {
namespace {

arrow::Result<engine::Tables> Run(std::string_view message,
                                  const std::vector<std::shared_ptr<arrow::Buffer>>& inputs,
                                  engine::FragmentCounters* counters) {
  VIAND_ASSIGN_OR_RETURN(const Task task, ParseTask(message));
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
  auto tables = Run(task, inputs, &result.counters);
  result.status = tables.status();
  FragmentOutcome outcome;
  if (tables.ok()) outcome.tables = *std::move(tables);
  for (const auto& table : outcome.tables) result.outputs.push_back({"", table->num_rows()});
  outcome.result = SerializeResult(result);
  return outcome;
}

}  // namespace viand::distributed
