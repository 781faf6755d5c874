// An opened repo as the offline room sees it: definitions, the grids recorded in the registry, how
// to execute.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "src/definition/validation.h"
#include "src/engine/execute.h"
#include "src/offline/source_content.h"
#include "src/registry/plan.h"

namespace viand::offline {

/// What sources were found to hold, by absolute path and time column: each is hashed once a
/// command. Whoever writes a path removes what is known of it.
using ContentCache = std::map<std::pair<std::string, std::string>, SourceContent>;

struct RepoContext {
  const definition::RepoConfig* config = nullptr;
  const definition::BoundDefinitions* bound = nullptr;
  std::map<std::string, registry::ResolvedGrid>
      grids;  ///< by name of snapshots; absent: never applied
  engine::ExecuteOptions execute;
  std::string temporary_folder;  ///< of this machine
  std::shared_ptr<ContentCache> contents = std::make_shared<ContentCache>();

  const std::string& root() const { return config->root; }
};

/// Looks an object up by name; null where there is none.
template <typename ObjectType>
const ObjectType* FindObject(const std::vector<ObjectType>& objects, const std::string& name) {
  for (const ObjectType& object : objects) {
    if (object.name == name) return &object;
  }
  return nullptr;
}

/// The names of objects, for "did you mean".
template <typename ObjectType>
std::vector<std::string> NamesOf(const std::vector<ObjectType>& objects) {
  std::vector<std::string> names;
  for (const ObjectType& object : objects) names.push_back(object.name);
  return names;
}

/// The grid of a view's snapshots; kInput with a hint to apply where it was never recorded.
arrow::Result<const registry::ResolvedGrid*> GridOf(const RepoContext& context,
                                                    const definition::FeatureView& view);

/// A bound view by name; kUsage with the nearest name where there is none.
arrow::Result<const definition::BoundView*> RequireView(const RepoContext& context,
                                                        const std::string& name);

}  // namespace viand::offline
