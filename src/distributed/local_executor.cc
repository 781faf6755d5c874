#include "src/distributed/local_executor.h"

#include <arrow/table.h>

#include <algorithm>
#include <thread>

#include "src/common/bounded_pool.h"
#include "src/common/disk_pool.h"
#include "src/common/memory_size.h"
#include "src/common/run_parallel.h"
#include "src/distributed/held_tables.h"
#include "src/engine/execute_fragment.h"

namespace viand::distributed {
namespace {

using engine::FragmentCall;
using engine::TableReference;

/// Of the budget: a table that stays whole in memory while a plan runs.
constexpr int64_t kWholeTableShare = 16;

/// Of the budget, in quarters: what fragments and held tables take before large blocks go to disk.
/// The rest is for what no pool counts.
constexpr int64_t kPooledQuarters = 3;

/// The rows of a grid are put in order by the driver, one cutoff after another; a spine that was
/// computed stays with it while a plan runs.
HeldTables::ReadBy ReaderOf(const engine::Fragment& fragment) {
  const auto* window = std::get_if<engine::WindowFragment>(&fragment);
  const bool of_driver = (window != nullptr && !window->at_spine) ||
                         std::holds_alternative<engine::WriteFragment>(fragment) ||
                         std::holds_alternative<engine::ArrangeFragment>(fragment);
  return of_driver ? HeldTables::ReadBy::kDriver : HeldTables::ReadBy::kFragment;
}

class LocalExecutor : public engine::Executor {
 public:
  LocalExecutor(int threads, const LocalExecutorOptions& options)
      : threads_(threads),
        memory_bytes_(options.memory_bytes),
        temporary_folder_(options.temporary_folder),
        pool_(memory_bytes_ == 0
                  ? nullptr
                  : BoundedPool::In(temporary_folder_, std::max(memory_bytes_, kLeastMemoryBytes) /
                                                           4 * kPooledQuarters)),
        held_(options.memory_bytes, options.temporary_folder) {}

  int Parallelism() const override { return threads_; }
  int64_t MemoryBytes() const override { return memory_bytes_; }

  arrow::MemoryPool* PoolFor(int64_t bytes) const override {
    if (memory_bytes_ == 0 || bytes <= memory_bytes_ / kWholeTableShare) return ProcessPool();
    return DiskPool::In(temporary_folder_);
  }

  arrow::Result<TableReference> Put(std::shared_ptr<arrow::Table> table) override {
    return HeldTables::Keep(std::move(table));
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
          for (const TableReference& input : calls[i].inputs) {
            VIAND_ASSIGN_OR_RETURN(inputs.emplace_back(), HeldTables::Load(input));
          }
          calls[i].inputs.clear();
          engine::FragmentContext context = stage_context;
          if (pool_ != nullptr) context.pool = pool_;
          if (counters != nullptr) context.counters = &counters->fragments[i];
          VIAND_ASSIGN_OR_RETURN(auto outputs,
                                 engine::ExecuteFragment(calls[i].fragment, inputs, context));
          inputs.clear();
          if (pool_ != nullptr) VIAND_RETURN_NOT_OK(pool_->TakeFailure());
          int64_t* const spilled =
              counters == nullptr ? nullptr : &counters->fragments[i].spilled_bytes;
          return held_.Hold(std::move(outputs), ReaderOf(calls[i].fragment), spilled)
              .Value(&results[i]);
        },
        progress);
    progress->End();
    VIAND_RETURN_NOT_OK(status);
    return results;
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Fetch(const TableReference& reference) override {
    return HeldTables::Load(reference);
  }

 private:
  const int threads_;
  const int64_t memory_bytes_;
  const std::string temporary_folder_;
  BoundedPool* const pool_;  // null: there is no budget
  HeldTables held_;
};

}  // namespace

std::unique_ptr<engine::Executor> MakeLocalExecutor(const LocalExecutorOptions& options) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::make_unique<LocalExecutor>(options.threads > 0 ? options.threads : cores, options);
}

}  // namespace viand::distributed
