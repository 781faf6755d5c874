// Definitions out of what the registry holds: views that only Feast has applied, other versions of
// views, services, and what these stand on.
//
//   StoredDefinitions stored(*snapshot, &definitions);
//   VIAND_RETURN_NOT_OK(stored.AddView("driver_stats"));
//
// What is added is marked `stored_only`; what the definitions have already is never replaced.
#pragma once

#include <string>
#include <vector>

#include "src/registry/registry.h"

namespace viand::registry {

/// A stored content as the canonical text of its definition, words included: viand's own where it
/// has one, else what Feast's message says. Paths below `root` are relative to it. kUsage for a
/// kind that viand has no definitions of.
arrow::Result<std::string> DefinitionText(ObjectKind kind, const std::string& name,
                                          const std::string& content, const std::string& root);

class StoredDefinitions {
 public:
  /// Both outlive this.
  StoredDefinitions(const RegistrySnapshot& snapshot, definition::Definitions* definitions)
      : snapshot_(snapshot), definitions_(definitions) {}

  /// Whether the snapshot has a view of this name that can be read: a feature view, or a stream
  /// feature view through its batch source.
  bool HasView(const std::string& name) const;

  /// Adds a view as it is stored, with the entities, source and snapshots that it stands on. Of
  /// one without them, of a source that is no Parquet, and of an on demand feature view it is
  /// kUsage or kInput, and says why.
  arrow::Status AddView(const std::string& name);

  /// Adds a version of a view under the name NAME@vN; `content` is the version's.
  arrow::Status AddVersion(const std::string& name, int64_t version, const std::string& content);

  /// Adds a service; its views are named by the references that it returns ("view", "view@v2").
  arrow::Result<std::vector<std::string>> AddService(const std::string& name);

  /// Adds an entity, or a file source, on its own.
  arrow::Status AddEntity(const std::string& name);
  arrow::Status AddSource(const std::string& name);

  /// Gives the entities that were added the types that Feast declares, where viand reads files as
  /// they are.
  void DeclareEntityTypes();

  /// Names of readable views and of services, for "did you mean".
  std::vector<std::string> NamesOf(ObjectKind kind) const;

 private:
  struct Part;

  arrow::Status Add(definition::FeatureView view, const Part& part);
  arrow::Status AddEntities(const Part& part, definition::FeatureView* view);
  arrow::Status AddSourceOf(const Part& part, definition::FeatureView* view);
  arrow::Status AddSnapshots(const definition::FeatureView& view);
  arrow::Result<Part> PartsOf(ObjectKind kind, const std::string& name,
                              const std::string& content) const;
  arrow::Result<definition::FeatureView> ViewOf(const Part& part) const;

  const RegistrySnapshot& snapshot_;
  definition::Definitions* const definitions_;
};

}  // namespace viand::registry
