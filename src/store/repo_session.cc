#include "src/store/repo_session.h"

#include <arrow/type.h>
#include <arrow/util/thread_pool.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "src/common/block_pool.h"
#include "src/common/memory_size.h"
#include "src/definition/yaml_reader.h"
#include "src/distributed/local_executor.h"
#include "src/distributed/process_executor.h"
#include "src/distributed/ray_executor.h"
#include "src/store/callback_progress.h"
#include "src/store/files_on_disk.h"

namespace viand::store {
namespace {

/// Freed memory that is kept for the next who asks is a part of the budget.
constexpr int64_t kRetainedShare = 8;

/// $TMPDIR is often memory; the folder of the data has room for data.
arrow::Result<std::string> TemporaryFolder(const OpenOptions& options, const std::string& root) {
  if (!options.temporary_folder.empty()) {
    if (::access(options.temporary_folder.c_str(), W_OK | X_OK) == 0)
      return options.temporary_folder;
    return MakeError(
        ErrorKind::kUsage,
        fmt::format("--temp-dir {}: {}", options.temporary_folder, std::strerror(errno)),
        "name a folder that can be written");
  }
  const char* variable = std::getenv("TMPDIR");
  if (variable != nullptr && *variable != '\0') return std::string(variable);
  const std::string data = root + "/data";
  return std::filesystem::is_directory(data) ? data : root;
}

/// An address says Ray; of feature_store.yaml, too, unless the call says otherwise.
arrow::Result<std::string> ChooseExecutor(const OpenOptions& options,
                                          const definition::RepoConfig& config) {
  if (options.executor.empty()) {
    return options.ray_address.empty() && config.ray_address.empty() ? "threads" : "ray";
  }
  static const std::vector<std::string> kExecutors = {"threads", "ray", "processes", "spill"};
  if (std::find(kExecutors.begin(), kExecutors.end(), options.executor) == kExecutors.end()) {
    return MakeError(ErrorKind::kUsage, fmt::format("unknown executor \"{}\"", options.executor),
                     NearestOrAll(options.executor, kExecutors, "there is: "));
  }
  if (options.executor != "ray" && !options.ray_address.empty()) {
    return MakeError(
        ErrorKind::kUsage,
        fmt::format("an address of Ray was given, and the executor \"{}\"", options.executor),
        "say --executor ray, or leave --ray-address out");
  }
  return options.executor;
}

/// Where a cluster's tasks put what is meant for this process: not in $TMPDIR, which is a machine's
/// own.
std::string RayStorage(const OpenOptions& options, const definition::RepoConfig& config) {
  namespace fs = std::filesystem;
  std::string storage = config.storage_path;
  if (storage.find("://") != std::string::npos) return storage;
  if (storage.empty()) storage = options.temporary_folder;
  if (storage.empty() && fs::is_directory(config.root + "/data")) storage = "data";
  return fs::absolute(fs::path(config.root) / storage).lexically_normal().string();
}

arrow::Result<std::unique_ptr<engine::Executor>> MakeExecutor(const OpenOptions& options,
                                                              const definition::RepoConfig& config,
                                                              int threads) {
  ARROW_ASSIGN_OR_RAISE(const std::string executor, ChooseExecutor(options, config));
  if (executor == "processes") {
    ARROW_ASSIGN_OR_RAISE(const std::string storage, TemporaryFolder(options, config.root));
    return distributed::MakeProcessExecutor(
        {.processes = threads, .storage_path = std::filesystem::absolute(storage).string()});
  }
  ARROW_ASSIGN_OR_RAISE(int64_t memory_bytes,
                        ParseMemorySize(options.memory, AvailableMemoryBytes()));
  ARROW_ASSIGN_OR_RAISE(const std::string folder, TemporaryFolder(options, config.root));
  ProcessPool()->SetRetainedLimit(
      std::min(BlockPool::kRetainedBytes, memory_bytes / kRetainedShare));
  if (executor == "ray") {
    return distributed::MakeRayExecutor(
        {.address = options.ray_address.empty() ? config.ray_address : options.ray_address,
         .python = options.python,
         .driver = options.ray_driver,
         .tasks = options.threads,
         .memory_bytes = options.memory.empty() ? 0 : memory_bytes,
         .own_memory_bytes = memory_bytes,
         .temporary_folder = folder,
         .version = Version(),
         .storage_path = RayStorage(options, config),
         .storage_asked_for = !config.storage_path.empty()});
  }
  if (executor == "spill") memory_bytes = 1;
  return distributed::MakeLocalExecutor(
      {.threads = threads, .memory_bytes = memory_bytes, .temporary_folder = folder});
}

}  // namespace

arrow::Result<std::unique_ptr<RepoSession>> RepoSession::Open(const std::string& path,
                                                              const OpenOptions& options) {
  std::unique_ptr<RepoSession> session(new RepoSession());
  ARROW_ASSIGN_OR_RAISE(const std::string root, definition::FindRepoRoot(path));
  ARROW_ASSIGN_OR_RAISE(session->config_, definition::ReadRepoConfig(root));
  ARROW_ASSIGN_OR_RAISE(auto definitions, definition::ReadDefinitions(
                                              root, session->config_.project, options.python));
  session->adds_definitions_ = !options.definitions.empty();
  if (session->adds_definitions_) {
    ARROW_ASSIGN_OR_RAISE(
        const definition::Definitions given,
        definition::ReadGivenDefinitions(options.definitions, root, options.python));
    definition::ReplaceDefinitions(given, &definitions);
  }
  ARROW_ASSIGN_OR_RAISE(session->registry_, registry::Registry::Open(session->config_));
  // Services may pin versions of views.
  ARROW_RETURN_NOT_OK(AddStoredNames(session->registry_.get(), {}, &definitions).status());
  session->definitions_ = std::make_shared<const definition::Definitions>(std::move(definitions));
  ARROW_RETURN_NOT_OK(session->Rebind());
  const int cores = std::max(1U, std::thread::hardware_concurrency());
  session->threads_ = options.threads > 0 ? options.threads : cores;
  ARROW_RETURN_NOT_OK(arrow::SetCpuThreadPoolCapacity(session->threads_));
  session->progress_ = std::make_unique<CallbackProgress>(options.on_progress);
  ARROW_ASSIGN_OR_RAISE(session->executor_,
                        MakeExecutor(options, session->config_, session->threads_));
  offline::RepoContext& context = session->context_;
  context.config = &session->config_;
  context.bound = &session->bound_;
  ARROW_ASSIGN_OR_RAISE(context.temporary_folder, TemporaryFolder(options, root));
  context.execute = {.executor = session->executor_.get(),
                     .partitions = options.partitions,
                     .batch_rows = options.batch_rows,
                     .progress = session->progress_.get()};
  return session;
}

arrow::Status RepoSession::RequireStored(const NamesAsked& asked) {
  definition::Definitions definitions = *definitions_;
  ARROW_ASSIGN_OR_RAISE(const bool added, AddStoredNames(registry_.get(), asked, &definitions));
  if (!added) return arrow::Status::OK();
  definitions_ = std::make_shared<const definition::Definitions>(std::move(definitions));
  return Rebind();
}

arrow::Status RepoSession::Rebind() {
  return definition::Validate(definitions_, FilesBelow(config_.root)).Value(&bound_);
}

arrow::Status RepoSession::TakeGrids(const registry::SharedSnapshot& snapshot) {
  if (snapshot == grids_of_) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(context_.grids, registry::RecordedGrids(*snapshot));
  grids_of_ = snapshot;
  return arrow::Status::OK();
}

arrow::Result<registry::SharedSnapshot> RepoSession::ReadRegistry() {
  ARROW_ASSIGN_OR_RAISE(auto snapshot, registry_->Read());
  ARROW_RETURN_NOT_OK(TakeGrids(snapshot));
  return snapshot;
}

arrow::Status RepoSession::RequireGrids() {
  if (grids_of_ != nullptr && grids_pinned_) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, registry_->ReadCached());
  return TakeGrids(snapshot);
}

}  // namespace viand::store
