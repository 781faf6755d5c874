// A registry in an SQLite file, in Feast's SQL layout.
//
// Thread-safe: each call opens a connection of its own. Feast may have the same file open: both use
// SQLite's locks and its default rollback journal.
#pragma once

#include <string>

#include "src/registry/registry_storage.h"

namespace viand::registry {

class SqliteStorage : public RegistryStorage {
 public:
  /// `path` is the database file, `shown_path` the same for messages; `busy_timeout_ms` is how long
  /// to wait for somebody else's lock.
  SqliteStorage(std::string path, std::string shown_path, int busy_timeout_ms);

  arrow::Status Read(const Body& body) override;
  arrow::Status Write(const Body& body) override;
  std::string Describe() const override;

 private:
  arrow::Result<bool> WriteFirst(const Body& body) const;

  const std::string path_;
  const std::string shown_path_;
  const int busy_timeout_ms_;
};

}  // namespace viand::registry
