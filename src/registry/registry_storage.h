// Where the rows of a registry are kept: one interface, a backend each for SQLite, PostgreSQL and
// Feast's registry file. What the rows mean is registry.h's matter, and is the same on all.
//
// Thread-safe: each call is a transaction of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "src/registry/sql_connection.h"

namespace viand::registry {

class RegistryStorage {
 public:
  using Body = std::function<arrow::Status(SqlConnection*)>;

  virtual ~RegistryStorage() = default;

  /// Runs `body` on the rows as they are at one moment, tables being there or not. Not run at all
  /// where nothing is stored yet. May run it again, on a new connection, after a connection is
  /// lost.
  virtual arrow::Status Read(const Body& body) = 0;

  /// Runs `body` under the write lock, Feast's and viand's tables being there, and commits; an
  /// error of `body` leaves everything as it was. May run it again after a connection is lost, and
  /// never once it is committed.
  virtual arrow::Status Write(const Body& body) = 0;

  /// Where it is, for messages: "sqlite data/registry.db". Holds no password.
  virtual std::string Describe() const = 0;
};

}  // namespace viand::registry
