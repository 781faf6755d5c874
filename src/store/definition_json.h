// Definitions as data, for a program that makes objects of them: what `export --format json`
// prints.
#pragma once

#include <string>

#include "src/store/repo_session.h"

namespace viand::store {

/// Prints definitions as one JSON object (docs/formats/definitions.md): each as its YAML says it,
/// with its list, whether the repo defines it, the types of its features and keys as far as they
/// are known, and when the registry got it.
arrow::Result<std::string> DefinitionsJson(const RepoSession& session,
                                           const registry::RegistrySnapshot& snapshot,
                                           const definition::Definitions& all);

}  // namespace viand::store
