#include "src/store/repo_session.h"

#include <arrow/type.h>
#include <arrow/util/thread_pool.h>

#include <thread>

#include "src/definition/yaml_reader.h"
#include "src/distributed/local_executor.h"
#include "src/distributed/process_executor.h"
#include "src/store/callback_progress.h"
#include "src/store/files_on_disk.h"

namespace viand::store {
arrow::Result<std::unique_ptr<RepoSession>> RepoSession::Open(const std::string& path,
                                                              const OpenOptions& options) {
  std::unique_ptr<RepoSession> session(new RepoSession());
  ARROW_ASSIGN_OR_RAISE(const std::string root, definition::FindRepoRoot(path));
  ARROW_ASSIGN_OR_RAISE(session->config_, definition::ReadRepoConfig(root));
  ARROW_ASSIGN_OR_RAISE(auto definitions, definition::ReadDefinitions(root));
  session->definitions_ = std::make_shared<const definition::Definitions>(std::move(definitions));
  ARROW_RETURN_NOT_OK(session->Rebind());
  ARROW_ASSIGN_OR_RAISE(session->registry_, registry::Registry::Open(session->config_));
  const int cores = std::max(1U, std::thread::hardware_concurrency());
  session->threads_ = options.threads > 0 ? options.threads : cores;
  ARROW_RETURN_NOT_OK(arrow::SetCpuThreadPoolCapacity(session->threads_));
  session->progress_ = std::make_unique<CallbackProgress>(options.on_progress);
  if (options.process_executor) {
    ARROW_ASSIGN_OR_RAISE(session->executor_,
                          distributed::MakeProcessExecutor({.processes = session->threads_}));
  } else {
    session->executor_ = distributed::MakeLocalExecutor({.threads = session->threads_});
  }
  offline::RepoContext& context = session->context_;
  context.config = &session->config_;
  context.bound = &session->bound_;
  context.execute = {session->executor_.get(), options.partitions, options.batch_rows,
                     session->progress_.get()};
  return session;
}

arrow::Status RepoSession::Rebind() {
  return definition::Validate(definitions_, FilesBelow(config_.root)).Value(&bound_);
}

arrow::Result<registry::RegistrySnapshot> RepoSession::ReadRegistry() {
  ARROW_ASSIGN_OR_RAISE(auto snapshot, registry_->Read());
  ARROW_ASSIGN_OR_RAISE(context_.grids, registry::RecordedGrids(snapshot));
  grids_read_ = true;
  return snapshot;
}

arrow::Status RepoSession::RequireGrids() {
  if (grids_read_) return arrow::Status::OK();
  return ReadRegistry().status();
}

}  // namespace viand::store
