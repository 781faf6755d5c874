// One opened feature repo: configuration, definitions, registry, executor, and the context that the
// steps work in. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "src/definition/validation.h"
#include "src/engine/executor.h"
#include "src/offline/repo_context.h"
#include "src/registry/registry.h"
#include "viand/feature_store.h"

namespace viand::store {

class RepoSession {
 public:
  /// Finds and reads the repo; every definition is validated as far as its types are known.
  static arrow::Result<std::unique_ptr<RepoSession>> Open(const std::string& path,
                                                          const OpenOptions& options);

  /// Validates again: after an ingest the types of what it wrote are known.
  arrow::Status Rebind();

  /// Reads the registry: the grids of `context()` are those that it records.
  arrow::Result<registry::SharedSnapshot> ReadRegistry();

  /// Reads the registry once, for commands that only need its grids.
  arrow::Status RequireGrids();

  const definition::RepoConfig& config() const { return config_; }
  const definition::Definitions& definitions() const { return *definitions_; }
  const definition::BoundDefinitions& bound() const { return bound_; }
  const offline::RepoContext& context() const { return context_; }
  const std::string& root() const { return config_.root; }
  registry::Registry* registry() const { return registry_.get(); }
  Progress* progress() const { return progress_.get(); }
  int threads() const { return threads_; }

 private:
  RepoSession() = default;

  definition::RepoConfig config_;
  std::shared_ptr<const definition::Definitions> definitions_;
  definition::BoundDefinitions bound_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<engine::Executor> executor_;
  offline::RepoContext context_;
  int threads_ = 0;
  bool grids_read_ = false;
};

}  // namespace viand::store
