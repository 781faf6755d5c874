// Which files of a repo hold definitions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/common/error.h"

namespace viand::definition {

/// Paths relative to the repo, each list in order.
struct DefinitionFiles {
  std::vector<std::string> yaml;
  std::vector<std::string> python;  ///< those that import viand
};

/// Lists *.yaml, *.yml but feature_store.yaml, and the *.py that import viand. Left out: hidden
/// files and folders, the repo's data/, virtual environments, caches, and what .feastignore names.
arrow::Result<DefinitionFiles> ListDefinitionFiles(const std::string& root);

/// Tells whether one of the lines of a Python file imports viand.
bool ImportsViand(std::string_view python);

/// The patterns of a .feastignore as Feast reads them: relative to the repo, * within a name, **
/// any folders; a folder stands for all that is below it, # begins a comment.
class IgnoredPaths {
 public:
  IgnoredPaths() = default;
  explicit IgnoredPaths(std::string_view text);

  /// Tells whether a pattern names this path or a folder above it.
  bool Has(const std::string& path) const;

 private:
  std::vector<std::vector<std::string>> patterns_;  ///< cut at /
};

}  // namespace viand::definition
