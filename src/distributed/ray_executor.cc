#include "src/distributed/ray_executor.h"

#include <arrow/buffer.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <type_traits>

#include "src/common/disk_pool.h"
#include "src/distributed/table_stream.h"
#include "src/distributed/task_message.h"
#include "src/engine/table_bytes.h"

namespace viand::distributed {
namespace {

using engine::FragmentCall;
using engine::TableReference;
using References = std::vector<TableReference>;

/// Tasks that are given to Ray at a time, for each of its CPUs: one runs, and the next waits there
/// with its inputs on the way.
constexpr int kTasksPerCpu = 2;
/// Of this process's memory: a table that stays whole.
constexpr int64_t kWholeTableShare = 16;

/// An object of Ray's store; let go with the last reference.
struct RayTable : engine::TableHandle {
  RayTable(int64_t of_number, int64_t rows, int64_t bytes, std::shared_ptr<RayConnection> of)
      : TableHandle(rows, bytes), number(of_number), connection(std::move(of)) {}
  ~RayTable() override { connection->Release(number); }
  const int64_t number;
  const std::shared_ptr<RayConnection> connection;
};

/// The number of a table that `connection` has: what another had went with it.
arrow::Result<int64_t> ObjectOf(const TableReference& reference, const RayConnection& connection) {
  const auto& table = static_cast<const RayTable&>(*reference);
  if (table.connection.get() == &connection) return table.number;
  return MakeError(ErrorKind::kEnvironment,
                   "the connection to Ray ended, and the tables of this plan with it",
                   "nothing is half-written; run the same again");
}

/// One stage: a few of its tasks are with Ray at a time.
class RayStage {
 public:
  RayStage(std::string_view name, std::vector<FragmentCall>* calls, Progress* progress,
           engine::StageCounters* counters, std::shared_ptr<RayConnection> connection)
      : name_(name),
        calls_(*calls),
        progress_(progress),
        counters_(counters),
        connection_(std::move(connection)),
        answers_(connection_),
        results_(calls_.size()) {}

  arrow::Result<std::vector<References>> Run() {
    Report(name_);
    const arrow::Status status = RunAll();
    progress_->End();
    if (!status.ok()) CancelFrom(0);
    VIAND_RETURN_NOT_OK(status);
    VIAND_RETURN_NOT_OK(failed_);
    return std::move(results_);
  }

 private:
  struct Running {
    size_t call = 0;
    int64_t first_output = 0;
  };

  arrow::Status RunAll() {
    const size_t most = static_cast<size_t>(connection_->cluster().cpus) * kTasksPerCpu;
    while (true) {
      // After a failure the calls before it still run: the first of them all is the one to tell.
      while (next_ < std::min(calls_.size(), failed_at_) && running_.size() < most)
        VIAND_RETURN_NOT_OK(Start(next_++));
      if (running_.empty()) return arrow::Status::OK();
      VIAND_ASSIGN_OR_RETURN(const Frame frame, answers_.Next());
      const auto found = running_.find(frame.header.value("id", int64_t{0}));
      if (found == running_.end()) continue;
      if (frame.header.contains("waiting")) {
        Report(fmt::format("{} (waiting: {})", name_, frame.header.value("waiting", "")));
        continue;
      }
      const Running done = found->second;
      running_.erase(found);
      const arrow::Status taken = Take(done, frame);
      calls_[done.call].inputs.clear();
      ++ended_;
      if (reported_ == name_)
        progress_->Advance(1);
      else
        Report(name_);
      if (taken.ok() || done.call >= failed_at_) continue;
      failed_ = taken;
      failed_at_ = done.call;
      CancelFrom(failed_at_);
    }
  }

  /// Names the stage anew, with what of it has ended.
  void Report(const std::string& name) {
    reported_ = name;
    progress_->Begin(name, static_cast<int64_t>(calls_.size()), "fragments");
    progress_->Advance(ended_);
  }

  arrow::Status Start(size_t at) {
    const FragmentCall& call = calls_[at];
    Task task{.fragment = call.fragment,
              .inputs = {},
              .count = counters_ != nullptr,
              .memory_bytes = connection_->cluster().task_memory_bytes};
    VIAND_ASSIGN_OR_RETURN(const std::string message, SerializeTask(task));
    std::vector<int64_t> inputs;
    for (const TableReference& input : call.inputs) {
      VIAND_ASSIGN_OR_RETURN(inputs.emplace_back(), ObjectOf(input, *connection_));
    }
    const int outputs = engine::OutputCount(call.fragment);
    const int64_t number = connection_->NewNumbers(outputs + 1);
    running_[number] = {.call = at, .first_output = number + 1};
    return answers_.Ask({{"id", number},
                         {"run", fmt::format("{} {}/{}", name_, at + 1, calls_.size())},
                         {"inputs", inputs},
                         {"outputs", {number + 1, outputs}}},
                        arrow::Buffer::FromString(message).get());
  }

  arrow::Status Take(const Running& done, const Frame& frame) {
    if (frame.header.contains("error")) return RayErrorOf(frame.header["error"]);
    const std::string_view bytes(reinterpret_cast<const char*>(frame.payload->data()),
                                 static_cast<size_t>(frame.payload->size()));
    VIAND_ASSIGN_OR_RETURN(const TaskResult result, ParseResult(bytes));
    // Ray holds outputs of a failed one, too.
    const int outputs = engine::OutputCount(calls_[done.call].fragment);
    References& tables = results_[done.call];
    for (int i = 0; i < outputs; ++i) {
      const bool known = static_cast<size_t>(i) < result.outputs.size();
      const TaskOutput output = known ? result.outputs[i] : TaskOutput{};
      tables.push_back(std::make_shared<RayTable>(done.first_output + i, output.rows, output.bytes,
                                                  connection_));
    }
    VIAND_RETURN_NOT_OK(result.status);
    if (result.outputs.size() != static_cast<size_t>(outputs)) {
      return MakeError(ErrorKind::kEnvironment,
                       "a task of Ray gave another number of tables than asked for");
    }
    if (counters_ == nullptr) return arrow::Status::OK();
    engine::FragmentCounters& counters = counters_->fragments[done.call];
    counters = result.counters;
    counters.node = frame.header.value("node", "");
    counters.attempt = frame.header.value("attempt", 0);
    return arrow::Status::OK();
  }

  /// Lets go of the tasks of the calls from one on.
  void CancelFrom(size_t call) {
    std::vector<int64_t> tasks;
    std::erase_if(running_, [&](const auto& entry) {
      if (entry.second.call < call) return false;
      tasks.push_back(entry.first);
      return true;
    });
    if (!tasks.empty()) answers_.Cancel(tasks);
  }

  const std::string name_;
  std::vector<FragmentCall>& calls_;
  Progress* const progress_;
  engine::StageCounters* const counters_;
  const std::shared_ptr<RayConnection> connection_;
  RayConnection::Answers answers_;
  std::vector<References> results_;
  std::map<int64_t, Running> running_;  // by the request's number
  std::string reported_;                // what the progress calls this stage
  int64_t ended_ = 0;
  size_t next_ = 0;
  size_t failed_at_ = std::numeric_limits<size_t>::max();
  arrow::Status failed_;
};

class RayExecutor : public engine::Executor {
 public:
  explicit RayExecutor(RayOptions options) : options_(std::move(options)) {}

  // Where Ray is not there, the stage that is cut by these says so.
  int Parallelism() const override {
    const auto connection = Connection();
    return connection.ok() ? (*connection)->cluster().cpus : 1;
  }
  int64_t MemoryBytes() const override {
    const auto connection = Connection();
    return connection.ok() ? (*connection)->cluster().memory_bytes : 0;
  }

  int64_t FragmentMemoryBytes() const override {
    const auto connection = Connection();
    return connection.ok() ? (*connection)->cluster().task_memory_bytes : 0;
  }

  int64_t DriverMemoryBytes() const override { return options_.own_memory_bytes; }

  arrow::MemoryPool* PoolFor(int64_t bytes) const override {
    if (options_.own_memory_bytes == 0 || bytes <= options_.own_memory_bytes / kWholeTableShare)
      return ProcessPool();
    return DiskPool::In(options_.temporary_folder);
  }

  std::string StoragePath() const override {
    const auto connection = Connection();
    return connection.ok() && (*connection)->cluster().shares_storage ? options_.storage_path : "";
  }

  arrow::Result<TableReference> Put(std::shared_ptr<arrow::Table> table) override {
    return Told([&](const Connected& connection) -> arrow::Result<TableReference> {
      VIAND_ASSIGN_OR_RETURN(const auto bytes, SerializeTable(table));
      const int64_t number = connection->NewNumbers(2);
      RayConnection::Answers answers(connection);
      VIAND_RETURN_NOT_OK(answers.Ask({{"id", number}, {"put", number + 1}}, bytes.get()));
      VIAND_ASSIGN_OR_RETURN(const Frame frame, answers.Next());
      if (frame.header.contains("error")) return RayErrorOf(frame.header["error"]);
      return std::make_shared<RayTable>(number + 1, table->num_rows(),
                                        engine::BytesInMemory(*table), connection);
    });
  }

  arrow::Result<std::vector<References>> RunStage(std::string_view name,
                                                  std::vector<FragmentCall> calls,
                                                  Progress* progress,
                                                  engine::StageCounters* counters) override {
    return Told([&](const Connected& connection) {
      const engine::StageTimer timer(counters);
      if (counters != nullptr) counters->fragments.resize(calls.size());
      return RayStage(name, &calls, progress, counters, connection).Run();
    });
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Fetch(const TableReference& reference) override {
    return Told([&](const Connected& connection) -> arrow::Result<std::shared_ptr<arrow::Table>> {
      VIAND_ASSIGN_OR_RETURN(const int64_t object, ObjectOf(reference, *connection));
      RayConnection::Answers answers(connection);
      VIAND_RETURN_NOT_OK(
          answers.Ask({{"id", connection->NewNumbers(1)}, {"fetch", object}}, nullptr));
      VIAND_ASSIGN_OR_RETURN(const Frame frame, answers.Next());
      if (frame.header.contains("error")) return RayErrorOf(frame.header["error"]);
      return ParseTable(frame.payload);
    });
  }

 private:
  using Connected = std::shared_ptr<RayConnection>;

  /// Calls `ask` with the connection; a failure of Ray that it tells is forgotten, so that the next
  /// call may find a Ray again.
  template <typename Ask>
  std::invoke_result_t<Ask, const Connected&> Told(const Ask& ask) {
    const arrow::Result<Connected> connection = Connection();
    if (!connection.ok()) {
      Forget(nullptr);
      return connection.status();
    }
    auto result = ask(*connection);
    if (!result.ok() && KindOf(result.status()) == ErrorKind::kEnvironment) Forget(*connection);
    return result;
  }

  /// The connection; a new one where there is none, or where the one there was has ended or found
  /// another Ray than this program now has.
  arrow::Result<Connected> Connection() const {
    const std::lock_guard lock(mutex_);
    if (connection_.ok() && *connection_ != nullptr) {
      // Nobody else has it, and no table: what it says of the cluster is asked for a new plan.
      const bool idle = connection_->use_count() == 1;
      if ((*connection_)->HasEnded() || (idle && !(*connection_)->IsCurrent()))
        connection_ = Connected();
    }
    if (!connection_.ok() || *connection_ != nullptr) return connection_;
    auto opened = RayConnection::Open(options_);
    // ctrl-C is of this call alone.
    if (opened.ok() || KindOf(opened.status()) != ErrorKind::kCancelled) connection_ = opened;
    return opened;
  }

  /// Lets the next call connect anew, unless another than `failed` (null: than none) is there now.
  void Forget(const Connected& failed) {
    const std::lock_guard lock(mutex_);
    if (!connection_.ok() || *connection_ == failed) connection_ = Connected();
  }

  const RayOptions options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_; null: nobody asked yet; a failure: it was not told yet.
  mutable arrow::Result<Connected> connection_ = Connected();
};

}  // namespace

std::unique_ptr<engine::Executor> MakeRayExecutor(RayOptions options) {
  return std::make_unique<RayExecutor>(std::move(options));
}

}  // namespace viand::distributed
