// The difference between the definitions of a repo and the registry, as data: what plan prints and
// apply commits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/definition/validation.h"
#include "src/registry/registry.h"

namespace viand::registry {

/// A grid of cutoffs resolved against the data; recorded in the registry so that it moves only
/// through apply.
struct ResolvedGrid {
  int64_t start_us = 0;  ///< first and last time of the source
  int64_t end_us = 0;
  std::vector<int64_t> cutoffs_us;  ///< ascending
};

/// What the repo wants.
struct DesiredState {
  const definition::RepoConfig* config = nullptr;
  const definition::BoundDefinitions* definitions = nullptr;
  std::map<std::string, ResolvedGrid>
      grids;  ///< by snapshots name; absent: not known before ingest
};

enum class ChangeAction { kAdd, kChange, kRemove, kUnchanged, kDrift };

struct FieldChange {
  std::string path;    ///< "features.monetary.expr"
  std::string before;  ///< empty: was not there
  std::string after;   ///< empty: goes away
};

struct Change {
  ChangeAction action;
  ObjectKind kind;
  std::string name;
  std::vector<FieldChange> fields;
  bool breaking = false;  ///< a reader of the object would fail or change meaning: feature removed,
                          ///< type changed
  std::string why_breaking;
  /// Breaking for readers of a view, and the definition does not say that it is another version.
  bool needs_force = false;
  std::optional<int64_t> old_version;   ///< of a view that gets a new version: what it was
  std::optional<int64_t> new_version;   ///< and what it will be, unless others apply meanwhile
  std::vector<std::string> dependants;  ///< "feature service purchase_propensity_v1"
  StoredObject desired;                 ///< what apply writes (kAdd, kChange, kDrift)
};

struct Plan {
  std::string project;
  std::string repo;             ///< whose objects are written
  std::vector<Change> changes;  ///< in order of kind, then name; kUnchanged included
  std::vector<std::string> warnings;
  std::map<std::pair<ObjectKind, std::string>, std::string>
      expected_sha256;  ///< of every stored object read; empty: absent
  bool HasEffect() const;
  bool HasRemoval() const;
  bool HasBreaking() const;
  bool NeedsForce() const;
};

/// Compares. Only objects that this repo owns (tag or column viand.repo) are ever removed. A view
/// of a computed definition is stored as DESIGN section 6 says.
arrow::Result<Plan> MakePlan(const DesiredState& desired, const RegistrySnapshot& snapshot);

/// The grid recorded by the last apply, or nothing.
arrow::Result<std::map<std::string, ResolvedGrid>> RecordedGrids(const RegistrySnapshot& snapshot);

}  // namespace viand::registry
