// What the registry holds, of every kind of Feast's, as far as a list and a search tell of it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/registry/registry.h"

namespace viand::registry {

struct StoredSummary {
  ObjectKind kind;
  std::string name;
  std::string summary;  ///< "3 features of driver from data/stats.parquet"
  std::string description, owner;
  std::map<std::string, std::string> tags;                    ///< without viand's own
  std::vector<std::pair<std::string, std::string>> features;  ///< name, type
  std::map<std::string, std::string> feature_descriptions;    ///< where there is one
};

/// One for each stored object of Feast's kinds but its dummy entity, in order of kind and name.
/// An object whose bytes cannot be read is told by its name.
std::vector<StoredSummary> SummariesOf(const RegistrySnapshot& snapshot);

}  // namespace viand::registry
