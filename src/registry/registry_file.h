// Feast's registry.db, a feast.core.Registry, as rows of Feast's tables and back.
//
// Whatever was read and not changed is written as it was, byte for byte: objects, their order,
// fields that nobody here knows.
#pragma once

#include <memory>
#include <string>

#include "src/registry/sql_connection.h"

namespace viand::registry {

/// When and as what a registry file was written; every writer changes both.
struct FileStamp {
  std::string version_id;  ///< a UUID
  int64_t last_updated_ns = 0;
  uint64_t sequence = 0;  ///< of viand's writes
};

class RegistryFile {
 public:
  /// A registry without objects.
  RegistryFile();
  ~RegistryFile();
  RegistryFile(RegistryFile&&) noexcept;
  RegistryFile& operator=(RegistryFile&&) noexcept;

  /// Takes the bytes of a file apart. kEnvironment: they are none of a registry, are cut short, or
  /// a newer schema's; the message has no path.
  static arrow::Result<RegistryFile> Parse(const std::string& bytes);

  /// Fills Feast's tables, which are empty.
  arrow::Status Load(SqlConnection* connection) const;

  /// Takes over what the tables hold now, and a new stamp. Objects that have no project say theirs
  /// from here on, as Feast's do in a file.
  arrow::Status Save(SqlConnection* connection, uint64_t sequence);

  std::string Serialize() const;
  FileStamp stamp() const;

 private:
  struct Message;
  std::unique_ptr<Message> message_;
};

}  // namespace viand::registry
