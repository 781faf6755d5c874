// Every object that the registry should hold for a repo, as it would be stored.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "src/registry/plan.h"

namespace viand::registry {

using ObjectKey = std::pair<ObjectKind, std::string>;

struct DesiredObject {
  std::string content;  ///< equals the stored content byte for byte where nothing changes
  SourceLocation where;
  std::optional<int64_t> version;  ///< of a view whose definition says which it is
};

/// Builds them all. Fails with kDefinition on a name longer than Feast's columns, two objects of
/// one kind and name, a view that the registry holds as another kind of view, or a type that Feast
/// does not have.
arrow::Result<std::map<ObjectKey, DesiredObject>> BuildObjects(const DesiredState& desired,
                                                               const RegistrySnapshot& snapshot);

}  // namespace viand::registry
