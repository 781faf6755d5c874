// Who reads an object of the registry: the other direction of the definitions' references.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/registry/plan.h"

namespace viand::registry {

/// A graph of objects and their direct readers. Immutable once made.
class Dependants {
 public:
  using Key = std::pair<ObjectKind, std::string>;

  /// Takes the references of the definitions, and those of stored feature services and views that
  /// are not among the definitions: somebody else's, who reads ours.
  static Dependants Make(const definition::Definitions& definitions,
                         const RegistrySnapshot& snapshot);

  /// All readers of an object, direct and indirect, nearest first.
  std::vector<Key> Of(const Key& object) const;

 private:
  void Add(ObjectKind kind, const std::string& name, const Key& reader);
  void AddStored(const RegistrySnapshot& snapshot, const definition::Definitions& definitions);

  std::map<Key, std::vector<Key>> readers_;
};

}  // namespace viand::registry
