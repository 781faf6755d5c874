#include "src/registry/open_storage.h"

#include <fmt/format.h>

#include <filesystem>

#include "src/registry/file_storage.h"
#include "src/registry/postgres_storage.h"
#include "src/registry/postgres_url.h"
#include "src/registry/sqlite_storage.h"

namespace viand::registry {
namespace {

constexpr char kWorkingPaths[] =
    "what works: registry: data/registry.db (Feast's file), or {registry_type: sql, path: "
    "sqlite:///data/registry.db} or postgresql://USER:PASSWORD@HOST:5432/DATABASE";

/// A path below the repo without the repo's own.
std::string ShownPath(const definition::RepoConfig& config, const std::string& path) {
  const std::string below = config.root + "/";
  return path.starts_with(below) ? path.substr(below.size()) : path;
}

// SQLAlchemy's URL of an SQLite file: three slashes before a relative path, four before an absolute
// one.
arrow::Result<std::string> SqliteFile(const definition::RepoConfig& config) {
  const std::string& url = config.registry_path;
  const SourceLocation where{"feature_store.yaml"};
  for (const std::string_view scheme : {"sqlite:///", "sqlite+pysqlite:///"}) {
    if (!url.starts_with(scheme)) continue;
    std::string path = url.substr(scheme.size());
    path = path.substr(0, path.find('?'));
    if (path.empty() || path == ":memory:")
      return ErrorAt(where, ErrorKind::kDefinition,
                     fmt::format("registry path \"{}\" names no file", url), kWorkingPaths);
    return path.starts_with('/') ? path : config.root + "/" + path;
  }
  // What follows the scheme may hold a password.
  const size_t scheme_end = url.find("://");
  return ErrorAt(where, ErrorKind::kDefinition,
                 scheme_end == std::string::npos
                     ? "the registry's path is not a database's URL"
                     : fmt::format("no registry can be at \"{}://...\"", url.substr(0, scheme_end)),
                 kWorkingPaths);
}

// A symlink is followed, so that the rename replaces what it points at.
arrow::Result<std::string> RegistryFilePath(const definition::RepoConfig& config) {
  std::string path = config.registry_path;
  if (path.starts_with("file://")) path = path.substr(7);
  if (const size_t scheme_end = path.find("://"); scheme_end != std::string::npos)
    return ErrorAt({"feature_store.yaml"}, ErrorKind::kDefinition,
                   fmt::format("a registry file cannot be at \"{}://...\", only on this machine",
                               path.substr(0, scheme_end)),
                   IsPostgresUrl(path) || path.starts_with("sqlite")
                       ? "a database is {registry_type: sql, path: ...}"
                       : kWorkingPaths);
  if (!path.starts_with('/')) path = config.root + "/" + path;
  std::error_code error;
  const auto resolved = std::filesystem::weakly_canonical(path, error);
  return error ? path : resolved.string();
}

}  // namespace

arrow::Result<std::unique_ptr<RegistryStorage>> OpenStorage(const definition::RepoConfig& config) {
  const SourceLocation where{"feature_store.yaml"};
  if (config.registry_type == "sql" && IsPostgresUrl(config.registry_path)) {
    VIAND_ASSIGN_OR_RETURN(auto address, ParsePostgresUrl(config.registry_path));
    return std::make_unique<PostgresStorage>(std::move(address), kLockTimeoutMs);
  }
  if (config.registry_type == "sql") {
    VIAND_ASSIGN_OR_RETURN(const std::string path, SqliteFile(config));
    return std::make_unique<SqliteStorage>(path, ShownPath(config, path), kLockTimeoutMs);
  }
  if (config.registry_type == "file" || config.registry_type.empty()) {
    VIAND_ASSIGN_OR_RETURN(const std::string path, RegistryFilePath(config));
    return std::make_unique<FileStorage>(path, ShownPath(config, path), kLockTimeoutMs);
  }
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("unknown registry_type \"{}\"", config.registry_type), kWorkingPaths);
}

bool IsRegistryInsideRepo(const definition::RepoConfig& config) {
  const bool sql = config.registry_type == "sql";
  if (sql && IsPostgresUrl(config.registry_path)) return false;
  const auto path = sql ? SqliteFile(config) : RegistryFilePath(config);
  if (!path.ok()) return false;
  const std::string normal = std::filesystem::path(*path).lexically_normal().string();
  return normal.starts_with(config.root + "/");
}

}  // namespace viand::registry
