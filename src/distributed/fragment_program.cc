#include "src/distributed/fragment_program.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include <cstdio>
#include <limits>

#include "src/common/atomic_file.h"
#include "src/distributed/table_file.h"
#include "src/distributed/task_message.h"
#include "src/engine/execute_fragment.h"
#include "src/engine/table_bytes.h"

namespace viand::distributed {
namespace {

arrow::Result<std::vector<TaskOutput>> RunTask(const std::string& in_path,
                                               const std::string& out_path,
                                               engine::FragmentCounters* counters) {
  VIAND_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(in_path));
  VIAND_ASSIGN_OR_RETURN(const Task task, ParseTask(bytes));
  engine::Tables inputs;
  for (const std::string& path : task.inputs) {
    VIAND_ASSIGN_OR_RETURN(auto table, ReadTableFile(path));
    inputs.push_back(std::move(table));
  }
  VIAND_ASSIGN_OR_RETURN(const auto outputs,
                         engine::ExecuteFragment(task.fragment, inputs,
                                                 {.counters = task.count ? counters : nullptr}));
  std::vector<TaskOutput> written;
  for (const auto& table : outputs) {
    written.push_back({fmt::format("{}.{}", out_path, written.size()), table->num_rows(),
                       engine::BytesInMemory(*table)});
    VIAND_ASSIGN_OR_RETURN(const int64_t bytes, WriteTableFile(table, written.back().path));
    counters->sent_bytes += bytes;
  }
  return written;
}

}  // namespace

int RunFragmentProgram(const std::string& in_path, const std::string& out_path) {
  TaskResult result;
  auto outputs = RunTask(in_path, out_path, &result.counters);
  result.status = outputs.status();
  if (outputs.ok()) result.outputs = std::move(*outputs);
  const arrow::Status written = WriteFileAtomically(out_path, SerializeResult(result));
  if (written.ok()) return 0;
  std::fprintf(stderr, "%s\n", RenderError(written).c_str());
  return 1;
}

}  // namespace viand::distributed
