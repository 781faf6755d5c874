#include "src/engine/function_worker.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "src/common/cancellation.h"
#include "src/common/python_program.h"
#include "src/common/spawn_group.h"

namespace viand::engine {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kMostTries = 3;
constexpr double kTimeoutSeconds = 3600;
constexpr double kStartSeconds = 120;
/// How long a cancellation or a timeout may go unseen.
constexpr int kPollMillis = 50;
/// Of the descriptors that a worker finds open.
constexpr int kSocketOfWorker = 3;
constexpr int kLifeOfWorker = 4;
/// Tables begin here in the memory that is shared, so that their buffers are aligned.
constexpr int64_t kAlignment = 64;
constexpr uint64_t kMostAnswerBytes = uint64_t{1} << 34;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int operator*() const { return number_; }

 private:
  int number_ = -1;
};

double TimeoutSeconds() {
  const char* text = std::getenv("VIAND_FUNCTION_TIMEOUT");
  const double seconds = text == nullptr ? 0 : std::strtod(text, nullptr);
  return seconds > 0 ? seconds : kTimeoutSeconds;
}

arrow::Status NoWorker(const std::string& what) {
  return MakeError(ErrorKind::kEnvironment, fmt::format("no process for functions: {}", what),
                   "is the limit of processes or open files reached?");
}

/// What a worker answered, or how it ended.
struct Answer {
  bool ended = false;
  bool timed_out = false;
  Json head;
  std::shared_ptr<arrow::Buffer> body;
};

class Worker {
 public:
  static arrow::Result<std::unique_ptr<Worker>> Start() {
    std::unique_ptr<Worker> worker(new Worker());
    std::array<int, 2> sockets{}, life{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0)
      return NoWorker(std::strerror(errno));
    worker->socket_ = Descriptor(sockets[0]);
    const Descriptor theirs(sockets[1]);
    if (pipe2(life.data(), O_CLOEXEC) != 0) return NoWorker(std::strerror(errno));
    const Descriptor ends_with_us(life[0]);
    worker->life_ = Descriptor(life[1]);
    VIAND_RETURN_NOT_OK(worker->Spawn(*theirs, *ends_with_us));
    return worker;
  }

  ~Worker() {
    if (pid_ <= 0) return;
    // What the function started ends with it.
    kill(-pid_, SIGKILL);
    Reap();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Waits for the worker's first word.
  arrow::Status Greet() {
    VIAND_ASSIGN_OR_RETURN(const Answer answer, Listen(kStartSeconds));
    if (!answer.ended && !answer.timed_out) return arrow::Status::OK();
    const std::string how = answer.timed_out ? "said nothing" : End();
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("the Python to run functions with, {}, {}", program_, how),
                     "its messages are above; it needs the package viand (pip install viand); "
                     "$VIAND_PYTHON names another Python");
  }

  arrow::Result<Answer> Call(const std::string& head, int memory) {
    std::array<uint32_t, 2> sizes = {static_cast<uint32_t>(head.size()), 0};
    if (!SendWithDescriptor(sizes.data(), sizeof(sizes), memory) || !Send(head))
      return Answer{.ended = true};
    return Listen(TimeoutSeconds());
  }

  /// Tells whether an idle worker is still there: it says nothing unasked.
  bool IsThere() const {
    pollfd wait{*socket_, POLLIN, 0};
    return poll(&wait, 1, 0) == 0;
  }

  /// Leaves the process to the parent that started it.
  void Forget() { pid_ = 0; }

  /// "was killed by signal 9", of a worker that ends.
  std::string End() {
    const int status = Reap();
    if (WIFSIGNALED(status)) {
      return fmt::format("was killed by signal {} ({})", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    }
    return fmt::format("ended with exit code {}", WEXITSTATUS(status));
  }

 private:
  Worker() = default;

  arrow::Status Spawn(int socket, int life) {
    program_ = PythonProgram();
    // What functions print must not mix with a result that goes to standard output.
    const int failed =
        SpawnGroup({program_, "-P", "-m", "viand.worker"},
                   {{-1, 0}, {2, 1}, {socket, kSocketOfWorker}, {life, kLifeOfWorker}}, &pid_);
    if (failed == 0) return arrow::Status::OK();
    pid_ = 0;
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("the Python to run functions with, {}, does not start: {}",
                                 program_, std::strerror(failed)),
                     "install Python 3.11 or later with the package viand, or name it in "
                     "$VIAND_PYTHON");
  }

  int Reap() {
    int status = 0;
    while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

  bool SendWithDescriptor(const void* bytes, size_t size, int descriptor) const {
    iovec part{const_cast<void*>(bytes), size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof(int));
    return sendmsg(*socket_, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
  }

  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(*socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(sent);
    }
    return true;
  }

  /// Reads an answer: the lengths of its head and body, then these.
  arrow::Result<Answer> Listen(double seconds) {
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
    Answer answer;
    std::array<uint64_t, 2> sizes{};
    VIAND_RETURN_NOT_OK(Receive(sizes.data(), sizeof(sizes), end, &answer));
    if (answer.ended || answer.timed_out) return answer;
    if (sizes[0] > kMostAnswerBytes || sizes[1] > kMostAnswerBytes)
      return NoWorker("its answer makes no sense");
    std::string head(sizes[0], '\0');
    VIAND_RETURN_NOT_OK(Receive(head.data(), head.size(), end, &answer));
    VIAND_ASSIGN_OR_RETURN(answer.body, arrow::AllocateBuffer(static_cast<int64_t>(sizes[1])));
    VIAND_RETURN_NOT_OK(Receive(answer.body->mutable_data(), sizes[1], end, &answer));
    answer.head = Json::parse(head, nullptr, /*allow_exceptions=*/false);
    return answer;
  }

  arrow::Status Receive(void* to, size_t size, Clock::time_point end, Answer* answer) {
    auto* at = static_cast<char*>(to);
    while (size > 0 && !answer->ended && !answer->timed_out) {
      pollfd wait{*socket_, POLLIN, 0};
      const int ready = poll(&wait, 1, kPollMillis);
      VIAND_RETURN_NOT_OK(CheckCancelled());
      answer->timed_out = Clock::now() > end;
      if (ready <= 0) continue;
      const ssize_t count = recv(*socket_, at, size, 0);
      if (count < 0 && errno == EINTR) continue;
      answer->ended = count <= 0;
      if (count > 0) {
        at += count;
        size -= count;
      }
    }
    return arrow::Status::OK();
  }

  std::string program_;
  pid_t pid_ = 0;
  Descriptor socket_;
  /// Nobody writes to it: when it closes with this process, the kernel ends the worker.
  Descriptor life_;
};

/// The workers that wait for a call.
class IdleWorkers {
 public:
  static IdleWorkers& OfProcess() {
    // Never destroyed: threads may run to the very end. The workers end by themselves.
    static auto* workers = new IdleWorkers();
    return *workers;
  }

  std::unique_ptr<Worker> Take() {
    const std::lock_guard lock(mutex_);
    // Those of a parent are not this process's: it does not speak to them, nor end them.
    if (owner_ != getpid()) {
      for (auto& worker : workers_) worker->Forget();
      workers_.clear();
      owner_ = getpid();
    }
    while (!workers_.empty()) {
      std::unique_ptr<Worker> worker = std::move(workers_.back());
      workers_.pop_back();
      if (worker->IsThere()) return worker;
    }
    return nullptr;
  }

  void GiveBack(std::unique_ptr<Worker> worker) {
    const std::lock_guard lock(mutex_);
    workers_.push_back(std::move(worker));
  }

 private:
  std::mutex mutex_;
  pid_t owner_ = getpid();
  std::vector<std::unique_ptr<Worker>> workers_;
};

/// Writes the tables one after another; adds where each is to the head of the call.
arrow::Result<Descriptor> ShareTables(const FunctionBatch& batch, Json* head) {
  Descriptor memory(memfd_create("viand-function", MFD_CLOEXEC));
  if (*memory < 0) return NoWorker(std::strerror(errno));
  const int copy = fcntl(*memory, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return NoWorker(std::strerror(errno));
  VIAND_ASSIGN_OR_RETURN(const auto out, arrow::io::FileOutputStream::Open(copy));
  const auto write = [&](const char* name, const std::shared_ptr<arrow::Schema>& schema,
                         const arrow::RecordBatch* rows) -> arrow::Status {
    VIAND_ASSIGN_OR_RETURN(const int64_t start, out->Tell());
    VIAND_ASSIGN_OR_RETURN(const auto writer, arrow::ipc::MakeStreamWriter(out.get(), schema));
    if (rows != nullptr) VIAND_RETURN_NOT_OK(writer->WriteRecordBatch(*rows));
    VIAND_RETURN_NOT_OK(writer->Close());
    VIAND_ASSIGN_OR_RETURN(const int64_t end, out->Tell());
    (*head)[name] = {start, end - start};
    const std::array<char, kAlignment> padding{};
    return out->Write(padding.data(), (kAlignment - end % kAlignment) % kAlignment);
  };
  VIAND_RETURN_NOT_OK(write("groups", batch.groups->schema(), batch.groups.get()));
  VIAND_RETURN_NOT_OK(write("rows", batch.rows->schema(), batch.rows.get()));
  VIAND_RETURN_NOT_OK(write("results", batch.results, nullptr));
  VIAND_RETURN_NOT_OK(out->Close());
  return memory;
}

arrow::Status ErrorOf(const Json& problem, const FunctionBatch& batch) {
  SourceLocation where{.file = problem.value("file", ""),
                       .line = problem.value("line", 0),
                       .column = problem.value("column", 0)};
  if (where.file.empty()) where = batch.where;
  const bool environment = problem.value("kind", "") == "environment";
  return ErrorAt(where, environment ? ErrorKind::kEnvironment : ErrorKind::kDefinition,
                 problem.value("message", "the function failed"), problem.value("hint", ""));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ResultOf(const Answer& answer,
                                                            const FunctionBatch& batch) {
  if (!answer.head.is_object()) return NoWorker("its answer makes no sense");
  if (answer.head.contains("error") && answer.head["error"].is_object())
    return ErrorOf(answer.head["error"], batch);
  const auto input = std::make_shared<arrow::io::BufferReader>(answer.body);
  VIAND_ASSIGN_OR_RETURN(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
  std::shared_ptr<arrow::RecordBatch> result;
  VIAND_RETURN_NOT_OK(reader->ReadNext(&result));
  if (result == nullptr || result->num_rows() != batch.groups->num_rows() ||
      !result->schema()->Equals(*batch.results, false))
    return NoWorker("its answer does not fit the question");
  VIAND_RETURN_NOT_OK(result->ValidateFull());
  return result;
}

std::string FirstGroup(const FunctionBatch& batch) {
  std::string text;
  const int keys = batch.groups->num_columns() - 1;
  for (int i = 0; i < keys && batch.groups->num_rows() > 0; ++i) {
    const auto value = batch.groups->column(i)->GetScalar(0);
    const std::string& name = batch.groups->column_name(i);
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", name == "as_of" ? "as of" : name,
                        value.ok() ? (*value)->ToString() : "?");
  }
  return text;
}

arrow::Status GivenUp(const FunctionBatch& batch, const std::string& how) {
  return ErrorAt(batch.where, ErrorKind::kEnvironment,
                 fmt::format("the process of the function {} {}, {} times, over {} rows of {} "
                             "groups from {} on",
                             batch.function, how, kMostTries, batch.rows->num_rows(),
                             batch.groups->num_rows(), FirstGroup(batch)),
                 "signal 9 is most often the system's, out of memory: use fewer threads, or less "
                 "rows a call with $VIAND_FUNCTION_BATCH_ROWS");
}

arrow::Status TimedOut(const FunctionBatch& batch) {
  return ErrorAt(batch.where, ErrorKind::kDefinition,
                 fmt::format("the function {} took longer than {:g} seconds over {} rows of {} "
                             "groups from {} on",
                             batch.function, TimeoutSeconds(), batch.rows->num_rows(),
                             batch.groups->num_rows(), FirstGroup(batch)),
                 "$VIAND_FUNCTION_TIMEOUT sets the seconds");
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CallFunction(const FunctionBatch& batch) {
  Json head = {{"function", batch.function}, {"code", batch.code}};
  VIAND_ASSIGN_OR_RETURN(const Descriptor memory, ShareTables(batch, &head));
  const std::string text = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string end;
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::unique_ptr<Worker> worker = IdleWorkers::OfProcess().Take();
    if (worker == nullptr) {
      VIAND_ASSIGN_OR_RETURN(worker, Worker::Start());
      VIAND_RETURN_NOT_OK(worker->Greet());
    }
    VIAND_ASSIGN_OR_RETURN(const Answer answer, worker->Call(text, *memory));
    if (answer.timed_out) return TimedOut(batch);
    if (!answer.ended) {
      IdleWorkers::OfProcess().GiveBack(std::move(worker));
      return ResultOf(answer, batch);
    }
    end = worker->End();
  }
  return GivenUp(batch, end);
}

}  // namespace viand::engine
