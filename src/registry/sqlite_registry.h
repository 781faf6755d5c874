// A registry in an SQLite file, in Feast's SQL layout.
//
// Thread-safe: each call opens a connection of its own. Feast may have the same file open: both use
// SQLite's locks and its default rollback journal.
#pragma once

#include <string>

#include "src/registry/registry.h"

namespace viand::registry {

class SqliteRegistry : public Registry {
 public:
  /// `path` is the database file; `busy_timeout_ms` is how long to wait for somebody else's lock.
  SqliteRegistry(const definition::RepoConfig& config, std::string path,
                 int busy_timeout_ms = 5000);

  arrow::Result<RegistrySnapshot> Read() override;
  arrow::Status Apply(const Plan& plan) override;
  std::string Describe() const override;

 private:
  const std::string root_;
  const std::string project_;
  const std::string path_;
  const int busy_timeout_ms_;
};

}  // namespace viand::registry
