#include "src/registry/registry.h"

#include <fmt/format.h>

#include "src/registry/change_writer.h"
#include "src/registry/open_storage.h"
#include "src/registry/plan.h"
#include "src/registry/registry_storage.h"
#include "src/registry/snapshot_reader.h"

namespace viand::registry {
namespace {

arrow::Status CheckExpected(const Plan& plan, const RegistrySnapshot& now) {
  for (const auto& [key, expected] : plan.expected_sha256) {
    const StoredObject* stored = now.Find(key.first, key.second);
    const std::string actual = stored == nullptr ? "" : stored->sha256;
    // The project itself is nobody's: whoever applies first into it makes it.
    if (actual == expected ||
        (expected.empty() &&
         IsThereAlready({.action = ChangeAction::kAdd, .kind = key.first, .name = key.second},
                        now)))
      continue;
    const char* what = expected.empty() ? "added" : actual.empty() ? "removed" : "changed";
    return MakeError(
        ErrorKind::kConflict,
        fmt::format("{} \"{}\" was {} in the registry after the plan was made; nothing was applied",
                    KindName(key.first), key.second, what),
        "plan again, look at the difference, then apply");
  }
  return arrow::Status::OK();
}

}  // namespace

std::string KindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kProject:
      return "project";
    case ObjectKind::kEntity:
      return "entity";
    case ObjectKind::kDataSource:
      return "data source";
    case ObjectKind::kFeatureView:
      return "feature view";
    case ObjectKind::kStreamFeatureView:
      return "stream feature view";
    case ObjectKind::kOnDemandFeatureView:
      return "on demand feature view";
    case ObjectKind::kLabelView:
      return "label view";
    case ObjectKind::kFeatureService:
      return "feature service";
    case ObjectKind::kSavedDataset:
      return "saved dataset";
    case ObjectKind::kValidationReference:
      return "validation reference";
    case ObjectKind::kPermission:
      return "permission";
    case ObjectKind::kDataset:
      return "dataset";
    case ObjectKind::kSnapshots:
      return "snapshots";
    case ObjectKind::kLabels:
      return "labels";
    case ObjectKind::kModel:
      return "model";
  }
  return fmt::format("object of kind {}", static_cast<int>(kind));
}

const StoredObject* RegistrySnapshot::Find(ObjectKind kind, const std::string& name) const {
  const auto found = objects.find({kind, name});
  return found == objects.end() ? nullptr : &found->second;
}

Registry::Registry(std::string project, std::unique_ptr<RegistryStorage> storage,
                   int64_t cache_ttl_seconds)
    : project_(std::move(project)), storage_(std::move(storage)), cache_ttl_(cache_ttl_seconds) {}

Registry::~Registry() = default;

arrow::Result<std::unique_ptr<Registry>> Registry::Open(const definition::RepoConfig& config) {
  VIAND_ASSIGN_OR_RETURN(auto storage, OpenStorage(config));
  return std::make_unique<Registry>(config.project, std::move(storage),
                                    config.registry_cache_ttl_seconds);
}

arrow::Result<SharedSnapshot> Registry::Read() {
  auto snapshot = std::make_shared<RegistrySnapshot>();
  snapshot->project = project_;
  const auto read_at = std::chrono::steady_clock::now();
  VIAND_RETURN_NOT_OK(storage_->Read([&](SqlConnection* connection) {
    return ReadSnapshot(connection, project_).Value(snapshot.get());
  }));
  const std::scoped_lock lock(mutex_);
  cached_ = snapshot;
  cached_at_ = read_at;
  return snapshot;
}

arrow::Result<SharedSnapshot> Registry::ReadCached() {
  {
    const std::scoped_lock lock(mutex_);
    const bool expires = cache_ttl_.count() > 0;
    const auto age = std::chrono::steady_clock::now() - cached_at_;
    if (cached_ != nullptr && (!expires || age <= cache_ttl_)) return cached_;
  }
  return Read();
}

arrow::Status Registry::Apply(const Plan& plan) {
  if (plan.project != project_)
    return MakeError(ErrorKind::kUsage,
                     fmt::format("the plan is for project \"{}\", the registry is open for \"{}\"",
                                 plan.project, project_));
  if (!plan.HasEffect()) return arrow::Status::OK();
  {
    const std::scoped_lock lock(mutex_);
    cached_ = nullptr;
  }
  return storage_->Write([&](SqlConnection* connection) -> arrow::Status {
    VIAND_ASSIGN_OR_RETURN(const RegistrySnapshot now, ReadSnapshot(connection, project_));
    VIAND_RETURN_NOT_OK(CheckExpected(plan, now));
    return WriteChanges(connection, plan, now);
  });
}

arrow::Result<std::vector<Revision>> Registry::Revisions(ObjectKind kind, const std::string& name) {
  std::vector<Revision> revisions;
  VIAND_RETURN_NOT_OK(storage_->Read([&](SqlConnection* connection) {
    return ReadRevisions(connection, project_, static_cast<int>(kind), name).Value(&revisions);
  }));
  return revisions;
}

arrow::Result<std::vector<ViewVersion>> Registry::ViewVersions(const std::string& name) {
  std::vector<ViewVersion> versions;
  VIAND_RETURN_NOT_OK(storage_->Read([&](SqlConnection* connection) {
    return ReadViewVersions(connection, project_, name).Value(&versions);
  }));
  return versions;
}

std::string Registry::Describe() const { return storage_->Describe(); }

}  // namespace viand::registry
