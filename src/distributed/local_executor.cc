#include "src/distributed/local_executor.h"

#include <arrow/table.h>

#include <thread>

#include "src/distributed/run_parallel.h"
#include "src/engine/execute_fragment.h"

namespace viand::distributed {
namespace {

using engine::FragmentCall;
using engine::TableReference;

struct LocalTable : engine::TableHandle {
  explicit LocalTable(std::shared_ptr<arrow::Table> held) : table(std::move(held)) {}
  const std::shared_ptr<arrow::Table> table;
};

const std::shared_ptr<arrow::Table>& TableOf(const TableReference& reference) {
  return static_cast<const LocalTable&>(*reference).table;
}

class LocalExecutor : public engine::Executor {
 public:
  explicit LocalExecutor(int threads) : threads_(threads) {}

  int Parallelism() const override { return threads_; }

  arrow::Result<TableReference> Put(std::shared_ptr<arrow::Table> table) override {
    return std::make_shared<LocalTable>(std::move(table));
  }

  arrow::Result<std::vector<std::vector<TableReference>>> RunStage(
      std::string_view name, std::vector<FragmentCall> calls, Progress* progress,
      engine::StageCounters* counters) override {
    progress->Begin(name, static_cast<int64_t>(calls.size()), "fragments");
    const engine::StageTimer timer(counters);
    if (counters != nullptr) counters->fragments.resize(calls.size());
    const engine::FragmentContext stage_context{.decode_in_parallel =
                                                    static_cast<int>(calls.size()) < threads_};
    std::vector<std::vector<TableReference>> results(calls.size());
    const arrow::Status status = RunParallel(
        calls.size(), threads_,
        [&](size_t i) -> arrow::Status {
          engine::Tables inputs;
          for (const TableReference& input : calls[i].inputs) inputs.push_back(TableOf(input));
          calls[i].inputs.clear();
          engine::FragmentContext context = stage_context;
          if (counters != nullptr) context.counters = &counters->fragments[i];
          VIAND_ASSIGN_OR_RETURN(auto outputs,
                                 engine::ExecuteFragment(calls[i].fragment, inputs, context));
          for (auto& output : outputs)
            results[i].push_back(std::make_shared<LocalTable>(std::move(output)));
          return arrow::Status::OK();
        },
        progress);
    progress->End();
    VIAND_RETURN_NOT_OK(status);
    return results;
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Fetch(const TableReference& reference) override {
    return TableOf(reference);
  }

 private:
  const int threads_;
};

}  // namespace

std::unique_ptr<engine::Executor> MakeLocalExecutor(const LocalExecutorOptions& options) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::make_unique<LocalExecutor>(options.threads > 0 ? options.threads : cores);
}

}  // namespace viand::distributed
