#include "src/distributed/ray_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "src/common/cancellation.h"

namespace viand::distributed {
namespace {

constexpr const char* kFormat = "viand.ray/1";
/// How long a cancellation may go unseen.
constexpr auto kLook = std::chrono::milliseconds(50);
/// Releases are told with the next request, or when so many wait.
constexpr size_t kMostReleases = 4096;

std::string TextOf(const nlohmann::json& of, const char* key) {
  const auto found = of.find(key);
  return found != of.end() && found->is_string() ? found->get<std::string>() : "";
}

int64_t IntegerOf(const nlohmann::json& of, const char* key) {
  const auto found = of.find(key);
  return found != of.end() && found->is_number() ? found->get<int64_t>() : 0;
}

}  // namespace

arrow::Status RayErrorOf(const nlohmann::json& error) {
  static const std::unordered_map<std::string, ErrorKind> kKinds = {
      {"usage", ErrorKind::kUsage},
      {"input", ErrorKind::kInput},
      {"cancelled", ErrorKind::kCancelled}};
  const auto kind = kKinds.find(TextOf(error, "kind"));
  return MakeError(kind == kKinds.end() ? ErrorKind::kEnvironment : kind->second,
                   TextOf(error, "message"), TextOf(error, "hint"));
}

RayConnection::RayConnection(int socket, std::unique_ptr<RayProcess> process)
    : process_(std::move(process)), socket_(socket), listener_([this] { Listen(); }) {}

RayConnection::~RayConnection() {
  socket_.Shut();
  listener_.join();
}

arrow::Result<std::shared_ptr<RayConnection>> RayConnection::Open(const RayOptions& options) {
  std::unique_ptr<RayProcess> process;
  int socket = options.driver == nullptr ? RayOptions::kNoDriver : options.driver();
  if (socket == RayOptions::kNoDriver) {
    VIAND_ASSIGN_OR_RETURN(process, RayProcess::Start(options.python));
    socket = process->TakeSocket();
  } else if (socket < 0) {
    return MakeError(ErrorKind::kEnvironment, "cannot start what speaks with Ray in this process");
  }
  std::shared_ptr<RayConnection> connection(new RayConnection(socket, std::move(process)));
  VIAND_RETURN_NOT_OK(connection->SayHello(options));
  return connection;
}

arrow::Result<Frame> RayConnection::AnswerTo(nlohmann::json request) {
  const std::shared_ptr<RayConnection> self(this, [](RayConnection*) {});
  Answers answers(self);
  request["id"] = NewNumbers(1);
  VIAND_RETURN_NOT_OK(answers.Ask(request, nullptr));
  return answers.Next();
}

arrow::Status RayConnection::SayHello(const RayOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const Frame frame,
                         AnswerTo({{"hello", kFormat},
                                   {"viand", options.version},
                                   {"address", options.address},
                                   {"tasks", options.tasks},
                                   {"memory", options.memory_bytes},
                                   {"storage", options.storage_path},
                                   {"storage_asked_for", options.storage_asked_for}}));
  if (frame.header.contains("error")) return RayErrorOf(frame.header["error"]);
  cluster_.cpus = std::max<int>(1, static_cast<int>(IntegerOf(frame.header, "cpus")));
  cluster_.memory_bytes = IntegerOf(frame.header, "memory");
  cluster_.task_memory_bytes = IntegerOf(frame.header, "task_memory");
  cluster_.shares_storage = frame.header.value("shares_storage", false);
  return arrow::Status::OK();
}

bool RayConnection::HasEnded() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool RayConnection::IsCurrent() {
  const auto frame = AnswerTo({{"is_current", true}});
  return frame.ok() ? !frame->header.contains("error") : !HasEnded();
}

int64_t RayConnection::NewNumbers(int64_t count) {
  const std::lock_guard lock(mutex_);
  next_number_ += count;
  return next_number_ - count;
}

void RayConnection::Release(int64_t table) {
  {
    const std::lock_guard lock(mutex_);
    released_.push_back(table);
    if (released_.size() < kMostReleases) return;
  }
  // A driver that is gone holds nothing.
  static_cast<void>(SendReleases().ok());
}

arrow::Status RayConnection::SendReleases() {
  std::vector<int64_t> tables;
  {
    const std::lock_guard lock(mutex_);
    tables.swap(released_);
  }
  if (tables.empty()) return arrow::Status::OK();
  return socket_.Send({{"release", tables}}, nullptr);
}

void RayConnection::Listen() {
  while (true) {
    auto frame = socket_.Receive();
    const std::lock_guard lock(mutex_);
    if (!frame.ok() || !frame->has_value()) {
      broken_ = frame.status();
      ended_ = true;
      come_.notify_all();
      return;
    }
    const auto known = waiting_.find(IntegerOf((*frame)->header, "id"));
    if (known == waiting_.end()) continue;
    const bool answers = !(*frame)->header.contains("waiting");
    known->second->come_.push_back(*std::move(*frame));
    if (answers) waiting_.erase(known);
    come_.notify_all();
  }
}

RayConnection::Answers::Answers(std::shared_ptr<RayConnection> connection)
    : connection_(std::move(connection)) {}

RayConnection::Answers::~Answers() {
  const std::lock_guard lock(connection_->mutex_);
  for (const int64_t number : numbers_) connection_->waiting_.erase(number);
}

arrow::Status RayConnection::Answers::Ask(const nlohmann::json& header,
                                          const arrow::Buffer* payload) {
  const int64_t number = IntegerOf(header, "id");
  {
    const std::lock_guard lock(connection_->mutex_);
    connection_->waiting_[number] = this;
  }
  numbers_.push_back(number);
  VIAND_RETURN_NOT_OK(connection_->SendReleases());
  const arrow::Status sent = connection_->socket_.Send(header, payload);
  // Why it is gone is known to who listens.
  return sent.ok() || connection_->process_ == nullptr ? sent : connection_->process_->NoAnswer();
}

void RayConnection::Answers::Cancel(const std::vector<int64_t>& numbers) {
  {
    const std::lock_guard lock(connection_->mutex_);
    for (const int64_t number : numbers) connection_->waiting_.erase(number);
  }
  // A driver that is gone runs nothing.
  static_cast<void>(connection_->socket_.Send({{"cancel", numbers}}, nullptr).ok());
}

arrow::Result<Frame> RayConnection::Answers::Next() {
  std::unique_lock lock(connection_->mutex_);
  while (come_.empty()) {
    if (connection_->ended_) {
      VIAND_RETURN_NOT_OK(connection_->broken_);
      if (connection_->process_ != nullptr) return connection_->process_->NoAnswer();
      return MakeError(ErrorKind::kEnvironment, "the driver of Ray ended");
    }
    connection_->come_.wait_for(lock, kLook);
    VIAND_RETURN_NOT_OK(CheckCancelled());
  }
  Frame frame = std::move(come_.front());
  come_.pop_front();
  return frame;
}

}  // namespace viand::distributed
