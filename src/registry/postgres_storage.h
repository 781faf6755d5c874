// A registry in PostgreSQL, in Feast's SQL layout.
//
// Thread-safe: a pool hands each call a connection of its own. A connection that is lost is made
// again, with growing pauses, and the call is done again from its start; after some seconds the
// error says what was wrong.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/registry/postgres_connection.h"
#include "src/registry/postgres_url.h"
#include "src/registry/registry_storage.h"

namespace viand::registry {

class PostgresStorage : public RegistryStorage {
 public:
  /// Connects at the first use. `lock_timeout_ms` is how long to wait for somebody else's lock.
  PostgresStorage(PostgresAddress address, int lock_timeout_ms);
  ~PostgresStorage() override;

  arrow::Status Read(const Body& body) override;
  arrow::Status Write(const Body& body) override;
  std::string Describe() const override;

 private:
  class Lease;

  /// What is known of a write whose commit was sent.
  enum class Outcome { kCommitted, kNotCommitted };

  arrow::Result<std::unique_ptr<PostgresConnection>> Acquire();
  void Release(std::unique_ptr<PostgresConnection> connection);

  /// One try. `transient` says whether another may succeed.
  arrow::Status TryRead(const Body& body, bool* transient);
  arrow::Status TryWrite(const Body& body, bool* transient);
  arrow::Status BeginWrite(PostgresConnection* connection, int64_t* transaction_id);
  /// Asks on a new connection whether the transaction was committed, though the answer was lost.
  arrow::Result<Outcome> OutcomeOf(int64_t transaction_id);

  const PostgresAddress address_;
  const int lock_timeout_ms_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable released_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  int leased_ = 0;
};

}  // namespace viand::registry
