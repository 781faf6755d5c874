#include "src/registry/postgres_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "src/common/cancellation.h"

namespace viand::registry {
namespace {

using Clock = std::chrono::steady_clock;

// How often a wait looks for ctrl-C.
constexpr int kPollMs = 100;
// Few enough that their answers fit in a socket's buffer while nobody reads them.
constexpr int kMaxPending = 200;
constexpr double kConnectTimeoutSeconds = 10;

// A dead peer is noticed within a minute; all can be set by the URL.
const std::map<std::string, std::string> kDefaults = {
    {"application_name", "viand"}, {"keepalives_idle", "20"},     {"keepalives_interval", "10"},
    {"keepalives_count", "3"},     {"tcp_user_timeout", "50000"}, {"client_encoding", "UTF8"}};

// `?` -> `$1`, `$2`, ..., but inside quotes.
std::string WithNumberedParameters(const std::string& sql) {
  std::string result;
  int count = 0;
  char quote = 0;
  for (const char c : sql) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '?') {
      result += '$' + std::to_string(++count);
      continue;
    }
    result += c;
  }
  return result;
}

/// Waits until the socket can be read (or written), `kPollMs` have passed, or it failed.
void PollOnce(int socket, short events) {
  pollfd waited{.fd = socket, .events = events, .revents = 0};
  poll(&waited, 1, kPollMs);
}

}  // namespace

PostgresStatement::PostgresStatement(PostgresConnection* connection, const std::string& sql)
    : connection_(connection), sql_(WithNumberedParameters(sql)) {}

PostgresStatement::~PostgresStatement() { Reset(); }

void PostgresStatement::Reset() {
  connection_->pq_.clear(result_);  // null is fine
  result_ = nullptr;
  parameters_.clear();
}

arrow::Status PostgresStatement::Set(int index, std::string_view bytes, bool blob) {
  parameters_.resize(std::max(parameters_.size(), static_cast<size_t>(index)));
  parameters_[index - 1] = {std::string(bytes), blob};
  return arrow::Status::OK();
}

arrow::Status PostgresStatement::Bind(int index, std::string_view text) {
  return Set(index, text, false);
}

arrow::Status PostgresStatement::Bind(int index, int64_t number) {
  return Set(index, std::to_string(number), false);
}

arrow::Status PostgresStatement::BindBlob(int index, std::string_view bytes) {
  return Set(index, bytes, true);
}

arrow::Status PostgresStatement::BindNull(int index) {
  parameters_.resize(std::max(parameters_.size(), static_cast<size_t>(index)));
  parameters_[index - 1] = {};
  return arrow::Status::OK();
}

arrow::Status PostgresStatement::Send() {
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const Parameter& parameter : parameters_) {
    values.push_back(parameter.bytes ? parameter.bytes->c_str() : nullptr);
    lengths.push_back(parameter.bytes ? static_cast<int>(parameter.bytes->size()) : 0);
    formats.push_back(parameter.blob ? 1 : 0);
  }
  const int sent = connection_->pq_.sendQueryParams(
      connection_->connection_, sql_.c_str(), static_cast<int>(values.size()), nullptr,
      values.data(), lengths.data(), formats.data(), 1);
  return sent == 1 ? arrow::Status::OK() : connection_->Failed(nullptr);
}

arrow::Result<bool> PostgresStatement::Step() {
  if (result_ == nullptr) {
    VIAND_RETURN_NOT_OK(connection_->Drain());
    VIAND_RETURN_NOT_OK(Send());
    VIAND_ASSIGN_OR_RETURN(result_, connection_->TakeResult());
    row_ = -1;
  }
  return ++row_ < connection_->pq_.ntuples(result_);
}

arrow::Status PostgresStatement::Run() {
  if (connection_->pending_ == 0 &&
      connection_->pq_.enterPipelineMode(connection_->connection_) == 0)
    return connection_->Failed(nullptr);
  ++connection_->pending_;
  VIAND_RETURN_NOT_OK(Send());
  return connection_->pending_ < kMaxPending ? arrow::Status::OK() : connection_->Drain();
}

std::string PostgresStatement::Text(int index) const {
  const LibpqLibrary& pq = connection_->pq_;
  return {pq.getvalue(result_, row_, index),
          static_cast<size_t>(pq.getlength(result_, row_, index))};
}

int64_t PostgresStatement::Integer(int index) const {
  // Binary numbers have the network's order, in 2, 4 or 8 bytes.
  const std::string bytes = Text(index);
  uint64_t value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<int64_t>(value);
}

bool PostgresStatement::IsNull(int index) const {
  return connection_->pq_.getisnull(result_, row_, index) == 1;
}

PostgresConnection::PostgresConnection(const LibpqLibrary& pq, std::string shown,
                                       PGconn* connection)
    : pq_(pq), shown_(std::move(shown)), connection_(connection) {}

PostgresConnection::~PostgresConnection() {
  statements_.clear();
  pq_.finish(connection_);
}

arrow::Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(
    const PostgresAddress& address, PostgresFailure* failure) {
  VIAND_ASSIGN_OR_RETURN(const LibpqLibrary* pq, LibpqLibrary::Load());
  auto parameters = address.parameters;
  parameters.insert(kDefaults.begin(), kDefaults.end());
  double timeout_seconds = kConnectTimeoutSeconds;
  if (const auto given = parameters.find("connect_timeout"); given != parameters.end())
    timeout_seconds = std::atof(given->second.c_str());
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* raw = pq->connectStartParams(keys.data(), values.data(), 0);
  if (raw == nullptr) return arrow::Status::OutOfMemory("libpq: out of memory");
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(*pq, address.shown, raw));
  // Verbose texts carry the SQLSTATE, which a failed connection tells in no other way.
  pq->setErrorVerbosity(raw, PQERRORS_VERBOSE);
  pq->setNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  VIAND_RETURN_NOT_OK(connection->WaitForConnect(timeout_seconds, failure));
  return connection;
}

arrow::Status PostgresConnection::WaitForConnect(double timeout_seconds, PostgresFailure* failure) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (pq_.status(connection_) != CONNECTION_BAD) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    if (state == PGRES_POLLING_OK) return arrow::Status::OK();
    if (state == PGRES_POLLING_FAILED) break;
    if (timeout_seconds > 0 && Clock::now() > deadline) {
      *failure = {"", fmt::format("no answer within {} s", timeout_seconds)};
      return PostgresError(shown_, *failure);
    }
    pollfd waited{.fd = pq_.socket(connection_),
                  .events = static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                  .revents = 0};
    if (poll(&waited, 1, kPollMs) > 0) state = pq_.connectPoll(connection_);
  }
  *failure = ConnectFailure(pq_.errorMessage(connection_));
  return PostgresError(shown_, *failure);
}

arrow::Result<SqlStatement*> PostgresConnection::Prepare(const std::string& sql) {
  auto& kept = statements_[sql];
  if (kept == nullptr) {
    kept = std::make_unique<PostgresStatement>(this, sql);
  } else {
    kept->Reset();
  }
  return kept.get();
}

arrow::Status PostgresConnection::Execute(const std::string& sql) {
  VIAND_RETURN_NOT_OK(Drain());
  if (pq_.sendQuery(connection_, sql.c_str()) == 0) return Failed(nullptr);
  VIAND_ASSIGN_OR_RETURN(PGresult * result, TakeResult());
  pq_.clear(result);
  return arrow::Status::OK();
}

arrow::Result<std::set<std::string>> PostgresConnection::TableNames() {
  std::set<std::string> names;
  // Where SQLAlchemy looks for them, and where "create table" puts them.
  VIAND_ASSIGN_OR_RETURN(
      SqlStatement * statement,
      Prepare("select tablename::text from pg_catalog.pg_tables where schemaname = "
              "current_schema()"));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return names;
    names.insert(statement->Text(0));
  }
}

arrow::Result<PGresult*> PostgresConnection::NextResult() {
  while (pq_.isBusy(connection_) != 0) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    PollOnce(pq_.socket(connection_), POLLIN);
    if (pq_.consumeInput(connection_) == 0) return Failed(nullptr);
  }
  return pq_.getResult(connection_);
}

arrow::Result<PGresult*> PostgresConnection::TakeResult() {
  PGresult* kept = nullptr;
  arrow::Status status;
  while (true) {
    auto result = NextResult();
    if (!result.ok()) {
      pq_.clear(kept);
      return result.status();
    }
    if (*result == nullptr) break;
    const ExecStatusType code = pq_.resultStatus(*result);
    if (code != PGRES_TUPLES_OK && code != PGRES_COMMAND_OK && status.ok())
      status = Failed(*result);
    pq_.clear(kept);
    kept = *result;
  }
  if (status.ok() && kept != nullptr) return kept;
  pq_.clear(kept);
  return status.ok() ? Failed(nullptr) : status;
}

arrow::Status PostgresConnection::Drain() {
  if (pending_ == 0) return arrow::Status::OK();
  if (pq_.pipelineSync(connection_) == 0) return Failed(nullptr);
  arrow::Status status;
  while (true) {
    VIAND_ASSIGN_OR_RETURN(PGresult * result, NextResult());
    if (result == nullptr) {
      if (pq_.status(connection_) == CONNECTION_BAD) return Failed(nullptr);
      continue;  // between two statements
    }
    const ExecStatusType code = pq_.resultStatus(result);
    const bool fine = code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK ||
                      code == PGRES_PIPELINE_SYNC || code == PGRES_PIPELINE_ABORTED;
    if (!fine && status.ok()) status = Failed(result);
    pq_.clear(result);
    if (code == PGRES_PIPELINE_SYNC) break;
  }
  pending_ = 0;
  if (pq_.exitPipelineMode(connection_) == 0 && status.ok()) return Failed(nullptr);
  return status;
}

arrow::Status PostgresConnection::Failed(const PGresult* result) {
  PostgresFailure failure{"", pq_.errorMessage(connection_)};
  if (result != nullptr) {
    const char* sqlstate = pq_.resultErrorField(result, PG_DIAG_SQLSTATE);
    const char* message = pq_.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate != nullptr && message != nullptr) failure = {sqlstate, message};
  }
  if (failure.sqlstate.empty()) failure = ConnectFailure(failure.message);
  failed_transiently_ =
      failed_transiently_ || IsTransient(failure) || pq_.status(connection_) == CONNECTION_BAD;
  return PostgresError(shown_, failure);
}

}  // namespace viand::registry
