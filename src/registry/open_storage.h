// Which backend a feature_store.yaml names.
#pragma once

#include <memory>

#include "src/definition/model.h"
#include "src/registry/registry_storage.h"

namespace viand::registry {

/// How long to wait for somebody else's write lock.
inline constexpr int kLockTimeoutMs = 30'000;

/// Opens nothing and creates nothing. kDefinition lists what works where the config names something
/// else; no text holds a password.
arrow::Result<std::unique_ptr<RegistryStorage>> OpenStorage(const definition::RepoConfig& config);

/// Whether the registry is a file below the repo's folder.
bool IsRegistryInsideRepo(const definition::RepoConfig& config);

}  // namespace viand::registry
