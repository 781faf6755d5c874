// Names that the repo's files do not define and the registry knows: versions of views, and what
// only Feast has applied.
#pragma once

#include <string>
#include <vector>

#include "src/registry/registry.h"

namespace viand::store {

/// What a command asks for by name.
struct NamesAsked {
  std::vector<std::string> views;     ///< "view", "view@v2"
  std::vector<std::string> services;  ///< of the repo or the registry
};

/// Adds to `definitions` what is asked for and only the registry has, and what the definitions'
/// own services name so; whether it added anything. A name that nobody has stays for those who
/// resolve names. References of services get the one spelling NAME@vN. kUsage for a version that
/// was never applied, with those that were.
arrow::Result<bool> AddStoredNames(registry::Registry* registry, const NamesAsked& asked,
                                   definition::Definitions* definitions);

}  // namespace viand::store
