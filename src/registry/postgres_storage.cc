#include "src/registry/postgres_storage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <chrono>
#include <thread>

#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/registry/feast_tables.h"

namespace viand::registry {
namespace {

using std::chrono::milliseconds;

// Five pauses, 3.1 s in all: a server that restarts is back by then.
constexpr std::array<milliseconds, 5> kPauses = {
    milliseconds(100), milliseconds(200), milliseconds(400), milliseconds(800), milliseconds(1600)};
// As SQLAlchemy's pool.
constexpr int kMaxConnections = 5;
// Serializes viand's writers while the tables may not be there yet. Its peers use it: never change.
constexpr int64_t kAdvisoryLock = 0x7669'616e'6472'6567;  // "viandreg"

constexpr char kNothingApplied[] = "nothing was applied: ";

/// Pauses before try `number`, from 1; false when there were enough.
arrow::Result<bool> Pause(size_t number) {
  if (number > kPauses.size()) return false;
  const auto until = std::chrono::steady_clock::now() + kPauses[number - 1];
  while (std::chrono::steady_clock::now() < until) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    std::this_thread::sleep_for(milliseconds(50));
  }
  return true;
}

}  // namespace

/// A connection on loan: goes back to the pool when it is said to be good, else is closed, and the
/// server rolls back what it was at.
class PostgresStorage::Lease {
 public:
  Lease(PostgresStorage* storage, std::unique_ptr<PostgresConnection> connection)
      : storage_(storage), connection_(std::move(connection)) {}
  Lease(const Lease&) = delete;
  ~Lease() { storage_->Release(good_ ? std::move(connection_) : nullptr); }

  PostgresConnection* operator->() const { return connection_.get(); }
  PostgresConnection* get() const { return connection_.get(); }
  void SetGood() { good_ = true; }

 private:
  PostgresStorage* const storage_;
  std::unique_ptr<PostgresConnection> connection_;
  bool good_ = false;
};

PostgresStorage::PostgresStorage(PostgresAddress address, int lock_timeout_ms)
    : address_(std::move(address)), lock_timeout_ms_(lock_timeout_ms) {}

PostgresStorage::~PostgresStorage() = default;

std::string PostgresStorage::Describe() const { return "postgresql " + address_.shown; }

arrow::Result<std::unique_ptr<PostgresConnection>> PostgresStorage::Acquire() {
  {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return leased_ < kMaxConnections; });
    ++leased_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  for (size_t number = 1;; ++number) {
    PostgresFailure failure;
    auto connection = PostgresConnection::Connect(address_, &failure);
    const bool again = !connection.ok() && IsTransient(failure) &&
                       KindOf(connection.status()) != ErrorKind::kCancelled;
    const auto paused = again ? Pause(number) : arrow::Result<bool>(false);
    if (paused.ok() && *paused) continue;
    if (!connection.ok()) Release(nullptr);
    VIAND_RETURN_NOT_OK(paused.status());
    return connection;
  }
}

void PostgresStorage::Release(std::unique_ptr<PostgresConnection> connection) {
  const std::scoped_lock lock(mutex_);
  --leased_;
  if (connection != nullptr) {
    idle_.push_back(std::move(connection));
  } else {
    // What broke one has broken those that waited, more often than not; a new one is cheap.
    idle_.clear();
  }
  released_.notify_one();
}

arrow::Status PostgresStorage::Read(const Body& body) {
  for (size_t number = 1;; ++number) {
    bool transient = false;
    arrow::Status status = TryRead(body, &transient);
    if (status.ok() || !transient) return status;
    VIAND_ASSIGN_OR_RETURN(const bool again, Pause(number));
    if (!again) return status;
  }
}

arrow::Status PostgresStorage::TryRead(const Body& body, bool* transient) {
  VIAND_ASSIGN_OR_RETURN(auto connection, Acquire());
  Lease lease(this, std::move(connection));
  arrow::Status status = [&]() -> arrow::Status {
    VIAND_RETURN_NOT_OK(
        lease->Execute("begin transaction isolation level repeatable read, read only"));
    VIAND_RETURN_NOT_OK(body(lease.get()));
    return lease->Execute("commit");
  }();
  *transient = lease->failed_transiently();
  if (status.ok()) lease.SetGood();
  return status;
}

arrow::Status PostgresStorage::Write(const Body& body) {
  for (size_t number = 1;; ++number) {
    bool transient = false;
    arrow::Status status = TryWrite(body, &transient);
    if (status.ok() || !transient) return status;
    VIAND_ASSIGN_OR_RETURN(const bool again, Pause(number));
    if (!again) return WithContext(status, kNothingApplied);
  }
}

arrow::Status PostgresStorage::BeginWrite(PostgresConnection* connection, int64_t* transaction_id) {
  // A commit that returned lasts, whatever the server's default is.
  VIAND_RETURN_NOT_OK(connection->Execute(
      fmt::format("begin transaction isolation level read committed, read write; "
                  "set local lock_timeout = {}; set local synchronous_commit = on; "
                  "select pg_advisory_xact_lock({})",
                  lock_timeout_ms_, kAdvisoryLock)));
  VIAND_RETURN_NOT_OK(CreateTables(SqlDialect::kPostgres, connection));
  std::vector<std::string> tables = TablesOf(TableOwner::kFeast);
  for (std::string& table : TablesOf(TableOwner::kViand)) tables.push_back(std::move(table));
  // Feast's writers take no lock but that of their rows, which this one keeps out.
  VIAND_RETURN_NOT_OK(connection->Execute(
      fmt::format("lock table {} in share row exclusive mode", fmt::join(tables, ", "))));
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement, connection->Prepare("select txid_current()"));
  VIAND_RETURN_NOT_OK(statement->Step().status());
  *transaction_id = statement->Integer(0);
  return arrow::Status::OK();
}

arrow::Status PostgresStorage::TryWrite(const Body& body, bool* transient) {
  int64_t transaction_id = 0;
  arrow::Status status;
  {
    auto connection = Acquire();
    if (!connection.ok()) return WithContext(connection.status(), kNothingApplied);
    Lease lease(this, std::move(*connection));
    status = [&]() -> arrow::Status {
      VIAND_RETURN_NOT_OK(BeginWrite(lease.get(), &transaction_id));
      VIAND_RETURN_NOT_OK(body(lease.get()));
      VIAND_RETURN_NOT_OK(lease->Drain());
      return Failpoint("registry.commit");
    }();
    *transient = lease->failed_transiently();
    if (!status.ok()) return status;
    status = lease->Execute("commit");
    if (status.ok()) lease.SetGood();
    if (status.ok() || !lease->failed_transiently()) return status;
  }
  // The connection went while the server committed, and only the server knows whether it did.
  const auto outcome = OutcomeOf(transaction_id);
  if (!outcome.ok()) {
    *transient = false;
    return WithContext(outcome.status(),
                       "the connection was lost during the commit, and whether the changes were "
                       "applied is not known until viand plan tells: ");
  }
  *transient = *outcome == Outcome::kNotCommitted;
  return *transient ? status : arrow::Status::OK();
}

arrow::Result<PostgresStorage::Outcome> PostgresStorage::OutcomeOf(int64_t transaction_id) {
  const auto ask = [&](std::string* state) {
    return Read([&](SqlConnection* connection) -> arrow::Status {
      VIAND_ASSIGN_OR_RETURN(SqlStatement * statement,
                             connection->Prepare("select txid_status(?)"));
      VIAND_RETURN_NOT_OK(statement->Bind(1, transaction_id));
      VIAND_RETURN_NOT_OK(statement->Step().status());
      *state = statement->Text(0);
      return arrow::Status::OK();
    });
  };
  std::string state;
  for (size_t number = 1;; ++number) {
    VIAND_RETURN_NOT_OK(ask(&state));
    if (state == "committed") return Outcome::kCommitted;
    if (state != "in progress") return Outcome::kNotCommitted;
    VIAND_ASSIGN_OR_RETURN(const bool again, Pause(number));
    if (!again)
      return MakeError(ErrorKind::kRegistry,
                       fmt::format("registry {}: the server is still at it", Describe()));
  }
}

}  // namespace viand::registry
