// One opened feature repo: configuration, definitions, registry, executor, and the context that the
// steps work in. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "src/definition/validation.h"
#include "src/engine/executor.h"
#include "src/offline/repo_context.h"
#include "src/registry/registry.h"
#include "src/store/stored_names.h"
#include "viand/feature_store.h"

namespace viand::store {

class RepoSession {
 public:
  /// Finds and reads the repo; every definition is validated as far as its types are known.
  static arrow::Result<std::unique_ptr<RepoSession>> Open(const std::string& path,
                                                          const OpenOptions& options);

  /// Validates again: after an ingest the types of what it wrote are known.
  arrow::Status Rebind();

  /// Makes names known that the files do not define and the registry does: versions of views, what
  /// only Feast has applied. Pointers into definitions() and bound() from before are void.
  arrow::Status RequireStored(const NamesAsked& asked);

  /// Reads the registry: the grids of `context()` are those that it records.
  arrow::Result<registry::SharedSnapshot> ReadRegistry();

  /// Reads the registry unless what is known of it is young enough (Registry::ReadCached), for
  /// calls that only need its grids.
  arrow::Status RequireGrids();

  /// Lets the next RequireGrids take those of the registry as it is after an apply.
  void ForgetGrids() { grids_of_ = nullptr; }

  /// While pinned, RequireGrids keeps the grids that it has: the steps of one run agree.
  void PinGrids(bool pinned) { grids_pinned_ = pinned; }

  const definition::RepoConfig& config() const { return config_; }
  const definition::Definitions& definitions() const { return *definitions_; }
  /// Whether objects were given besides those of the repo's files: then these are not all.
  bool adds_definitions() const { return adds_definitions_; }
  const definition::BoundDefinitions& bound() const { return bound_; }
  const offline::RepoContext& context() const { return context_; }
  const std::string& root() const { return config_.root; }
  registry::Registry* registry() const { return registry_.get(); }
  Progress* progress() const { return progress_.get(); }
  int threads() const { return threads_; }

 private:
  RepoSession() = default;
  arrow::Status TakeGrids(const registry::SharedSnapshot& snapshot);

  definition::RepoConfig config_;
  std::shared_ptr<const definition::Definitions> definitions_;
  definition::BoundDefinitions bound_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<engine::Executor> executor_;
  offline::RepoContext context_;
  int threads_ = 0;
  bool adds_definitions_ = false;
  registry::SharedSnapshot grids_of_;  ///< whose grids `context_` has; null: none yet
  bool grids_pinned_ = false;
};

}  // namespace viand::store
