#include "src/registry/registry.h"

#include <fmt/format.h>

#include "src/registry/sqlite_registry.h"

namespace viand::registry {
namespace {

constexpr char kWorkingPaths[] =
    "what works: registry: {registry_type: sql, path: sqlite:///data/registry.db}";

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
  if (url.starts_with("postgres"))
    return ErrorAt(where, ErrorKind::kDefinition, "PostgreSQL registries are not in this version",
                   kWorkingPaths);
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("registry path \"{}\" is not an SQLite URL", url), kWorkingPaths);
}

}  // namespace

std::string KindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kProject:
      return "project";
    case ObjectKind::kEntity:
      return "entity";
    case ObjectKind::kDataSource:
      return "data source";
    case ObjectKind::kFeatureView:
      return "feature view";
    case ObjectKind::kStreamFeatureView:
      return "stream feature view";
    case ObjectKind::kOnDemandFeatureView:
      return "on demand feature view";
    case ObjectKind::kLabelView:
      return "label view";
    case ObjectKind::kFeatureService:
      return "feature service";
    case ObjectKind::kSavedDataset:
      return "saved dataset";
    case ObjectKind::kValidationReference:
      return "validation reference";
    case ObjectKind::kPermission:
      return "permission";
    case ObjectKind::kDataset:
      return "dataset";
    case ObjectKind::kSnapshots:
      return "snapshots";
    case ObjectKind::kLabels:
      return "labels";
    case ObjectKind::kModel:
      return "model";
  }
  return fmt::format("object of kind {}", static_cast<int>(kind));
}

const StoredObject* RegistrySnapshot::Find(ObjectKind kind, const std::string& name) const {
  const auto found = objects.find({kind, name});
  return found == objects.end() ? nullptr : &found->second;
}

arrow::Result<std::unique_ptr<Registry>> Registry::Open(const definition::RepoConfig& config) {
  const SourceLocation where{"feature_store.yaml"};
  if (config.registry_type == "sql") {
    VIAND_ASSIGN_OR_RETURN(std::string path, SqliteFile(config));
    return std::make_unique<SqliteRegistry>(config, std::move(path));
  }
  if (config.registry_type == "file" || config.registry_type.empty())
    return ErrorAt(
        where, ErrorKind::kDefinition,
        fmt::format("file registries (\"{}\") are not in this version", config.registry_path),
        kWorkingPaths);
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("unknown registry_type \"{}\"", config.registry_type), kWorkingPaths);
}

}  // namespace viand::registry
