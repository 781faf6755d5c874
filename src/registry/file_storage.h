// A registry in Feast's file registry.db, with viand's own tables in a file beside it
// (side_file.h).
//
// A transaction loads both into an SQLite database in memory, where the same statements run as on
// the other backends; a commit writes both anew, by rename. Writers of viand take turns by flock of
// `<path>.viand.lock`. Feast takes no lock: a file that it has replaced meanwhile is read again,
// and one that it is writing is waited for.
//
// Thread-safe: each call has a database of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "src/registry/registry_file.h"
#include "src/registry/registry_storage.h"
#include "src/registry/sqlite_connection.h"

namespace viand::registry {

class FileStorage : public RegistryStorage {
 public:
  /// `shown_path` is `path` for messages; `lock_timeout_ms` is how long to wait for another viand.
  FileStorage(std::string path, std::string shown_path, int lock_timeout_ms);

  arrow::Status Read(const Body& body) override;
  arrow::Status Write(const Body& body) override;
  std::string Describe() const override;

 private:
  /// What is on disk at one moment.
  struct Contents {
    std::string sha256;  ///< of the registry file; empty: there is none
    RegistryFile file;
    std::string image;  ///< of viand's tables; empty: there are none
    uint64_t sequence = 0;
  };

  arrow::Result<Contents> ReadContents() const;
  /// One try; nothing where a writer seems to be at it.
  arrow::Result<std::optional<Contents>> TryReadContents(bool last_try) const;
  arrow::Status FindImage(Contents* contents) const;
  arrow::Result<std::unique_ptr<SqliteConnection>> Load(const Contents& contents) const;
  /// Writes `contents`, whose file holds what is new and whose hash is of what was read. False:
  /// somebody else has replaced the file since, and nothing was written.
  arrow::Result<bool> Commit(const Contents& contents, const std::string& image) const;
  void RemoveOtherSides(const std::string& kept) const;
  arrow::Status Named(const arrow::Status& status) const;

  const std::string path_;
  const std::string shown_path_;
  const int lock_timeout_ms_;
};

}  // namespace viand::registry
