#include "src/distributed/process_executor.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "src/common/atomic_file.h"
#include "src/common/run_parallel.h"
#include "src/distributed/child_process.h"
#include "src/distributed/table_file.h"
#include "src/distributed/task_message.h"
#include "src/engine/table_bytes.h"

namespace viand::distributed {
namespace {

using engine::FragmentCall;
using engine::TableReference;

/// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

/// A table's file; keeps the folder alive and removes the file when nobody refers to it.
struct FileTable : engine::TableHandle {
  FileTable(std::string file, int64_t rows, int64_t bytes, std::shared_ptr<TemporaryFolder> in)
      : TableHandle(rows, bytes), path(std::move(file)), folder(std::move(in)) {}
  ~FileTable() override {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  const std::string path;
  const std::shared_ptr<TemporaryFolder> folder;
};

const std::string& PathOf(const TableReference& reference) {
  return static_cast<const FileTable&>(*reference).path;
}

class ProcessExecutor : public engine::Executor {
 public:
  ProcessExecutor(std::vector<std::string> command, int processes, std::string folder,
                  std::string storage_path)
      : command_(std::move(command)),
        processes_(processes),
        storage_path_(std::move(storage_path)),
        folder_(std::make_shared<TemporaryFolder>(std::move(folder))) {}

  int Parallelism() const override { return processes_; }
  std::string StoragePath() const override { return storage_path_; }

  arrow::Result<TableReference> Put(std::shared_ptr<arrow::Table> table) override {
    const std::string path = NewPath("put");
    VIAND_RETURN_NOT_OK(WriteTableFile(table, path).status());
    return std::make_shared<FileTable>(path, table->num_rows(), engine::BytesInMemory(*table),
                                       folder_);
  }

  arrow::Result<std::vector<std::vector<TableReference>>> RunStage(
      std::string_view name, std::vector<FragmentCall> calls, Progress* progress,
      engine::StageCounters* counters) override {
    progress->Begin(name, static_cast<int64_t>(calls.size()), "fragments");
    const engine::StageTimer timer(counters);
    if (counters != nullptr) counters->fragments.resize(calls.size());
    std::vector<std::vector<TableReference>> results(calls.size());
    const arrow::Status status = RunParallel(
        calls.size(), processes_,
        [&](size_t i) -> arrow::Status {
          VIAND_ASSIGN_OR_RETURN(
              results[i],
              RunCall(calls[i], counters == nullptr ? nullptr : &counters->fragments[i]));
          calls[i].inputs.clear();
          return arrow::Status::OK();
        },
        progress);
    progress->End();
    VIAND_RETURN_NOT_OK(status);
    return results;
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Fetch(const TableReference& reference) override {
    return ReadTableFile(PathOf(reference));
  }

 private:
  std::string NewPath(std::string_view what) {
    return fmt::format("{}/{}-{}", folder_->path(), what, next_file_.fetch_add(1));
  }

  arrow::Result<std::vector<TableReference>> RunCall(const FragmentCall& call,
                                                     engine::FragmentCounters* counters) {
    Task task{.fragment = call.fragment, .inputs = {}, .count = counters != nullptr};
    for (const TableReference& input : call.inputs) task.inputs.push_back(PathOf(input));
    VIAND_ASSIGN_OR_RETURN(const std::string message, SerializeTask(task));
    const std::string in_path = NewPath("task");
    const std::string out_path = NewPath("result");
    VIAND_RETURN_NOT_OK(WriteFileAtomically(in_path, message));
    std::vector<std::string> command = command_;
    command.push_back(in_path);
    command.push_back(out_path);
    VIAND_RETURN_NOT_OK(RunChildProcess(command));
    VIAND_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(out_path));
    VIAND_ASSIGN_OR_RETURN(const TaskResult result, ParseResult(bytes));
    VIAND_RETURN_NOT_OK(result.status);
    if (counters != nullptr) *counters = result.counters;
    if (result.outputs.size() != static_cast<size_t>(engine::OutputCount(call.fragment))) {
      return MakeError(ErrorKind::kEnvironment,
                       "a fragment's process gave another number of tables than asked for");
    }
    std::vector<TableReference> outputs;
    for (const TaskOutput& output : result.outputs)
      outputs.push_back(
          std::make_shared<FileTable>(output.path, output.rows, output.bytes, folder_));
    return outputs;
  }

  const std::vector<std::string> command_;
  const int processes_;
  const std::string storage_path_;
  const std::shared_ptr<TemporaryFolder> folder_;
  std::atomic<int64_t> next_file_{0};
};

arrow::Result<std::vector<std::string>> CommandOf(const ProcessExecutorOptions& options) {
  if (!options.command.empty()) return options.command;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    return MakeError(ErrorKind::kEnvironment, "cannot find this executable: " + error.message());
  return std::vector<std::string>{self.string(), "fragment"};
}

}  // namespace

arrow::Result<std::unique_ptr<engine::Executor>> MakeProcessExecutor(
    const ProcessExecutorOptions& options) {
  VIAND_ASSIGN_OR_RETURN(auto command, CommandOf(options));
  const char* variable = std::getenv("TMPDIR");
  std::string folder = options.temporary_folder;
  if (folder.empty()) folder = variable != nullptr && *variable != '\0' ? variable : "/tmp";
  folder += "/viand.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return MakeError(
        ErrorKind::kEnvironment,
        fmt::format("cannot make a temporary folder {}: {}", folder, std::strerror(errno)),
        "set TMPDIR to a folder that can be written");
  }
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::make_unique<ProcessExecutor>(std::move(command),
                                           options.processes > 0 ? options.processes : cores,
                                           std::move(folder), options.storage_path);
}

}  // namespace viand::distributed
