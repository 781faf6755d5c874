// Feeds foreign bytes to the reader of registry files: what is read can be planned over, and
// written and read again.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "src/registry/feast_tables.h"
#include "src/registry/plan.h"
#include "src/registry/registry_file.h"
#include "src/registry/snapshot_reader.h"
#include "src/registry/sqlite_connection.h"

namespace viand::registry {
namespace {

// All definitions gone: every object is compared, and its owner and readers looked for.
void PlanOver(SqlConnection* connection, const std::string& project) {
  const auto snapshot = ReadSnapshot(connection, project);
  if (!snapshot.ok()) std::abort();
  definition::RepoConfig config;
  config.project = project;
  definition::BoundDefinitions nothing;
  nothing.definitions = std::make_shared<const definition::Definitions>();
  static_cast<void>(MakePlan({&config, &nothing, {}}, *snapshot));
  static_cast<void>(RecordedGrids(*snapshot));
}

void WriteAndReadAgain(SqlConnection* connection, RegistryFile file) {
  if (!file.Save(connection, 1).ok()) return;  // an object that contradicts its row
  if (!RegistryFile::Parse(file.Serialize()).ok()) std::abort();
}

}  // namespace
}  // namespace viand::registry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace viand::registry;  // NOLINT: a program of one function
  auto file = RegistryFile::Parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!file.ok()) return 0;
  const auto connection =
      SqliteConnection::Open(":memory:", SqliteConnection::Mode::kCreate, 0).ValueOrDie();
  if (!CreateTables(SqlDialect::kSqlite, connection.get()).ok()) std::abort();
  if (!file->Load(connection.get()).ok()) return 0;
  for (const char* project : {"users", "theirs"}) PlanOver(connection.get(), project);
  WriteAndReadAgain(connection.get(), std::move(*file));
  return 0;
}
