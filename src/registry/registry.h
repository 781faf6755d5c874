// The registry: what is applied, shared with Feast in Feast's own layout
// (docs/formats/registry.md).
//
//   VIAND_ASSIGN_OR_RETURN(const auto registry, Registry::Open(config));
//   VIAND_ASSIGN_OR_RETURN(const auto snapshot, registry->Read());
//   VIAND_ASSIGN_OR_RETURN(const Plan plan, MakePlan(desired, *snapshot));  // plan.h
//   VIAND_RETURN_NOT_OK(registry->Apply(plan));  // one transaction, or kConflict
//
// Thread-safe: each call is a transaction of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/common/error.h"
#include "src/definition/model.h"
#include "src/registry/history.h"

namespace viand::registry {

struct Plan;  // plan.h
class RegistryStorage;

/// Feast's kinds live in Feast's tables as protobuf; viand's own in viand_objects as canonical
/// text. Values are stored in viand_* tables: never change.
enum class ObjectKind {
  kProject = 0,
  kEntity = 1,
  kDataSource = 2,
  kFeatureView = 3,
  kStreamFeatureView = 4,
  kOnDemandFeatureView = 5,
  kLabelView = 6,
  kFeatureService = 7,
  kSavedDataset = 8,
  kValidationReference = 9,
  kPermission = 10,
  kDataset = 100,
  kSnapshots = 101,
  kLabels = 102,
  kModel = 103,
};

/// "entity", "data source", "feature view", ... as people read it.
std::string KindName(ObjectKind kind);

struct StoredObject {
  ObjectKind kind;
  std::string name;
  std::string content;  ///< serialized protobuf, or canonical text of viand's own kinds
  std::string sha256;   ///< of `content`
  int64_t updated_us = 0;
  std::string applied_sha256;  ///< of what viand last wrote here; other than `sha256`: somebody
                               ///< else wrote since
  std::string repo;            ///< whose it is (RepoConfig::repo); empty: nobody said
};

/// Everything of one project at one moment.
struct RegistrySnapshot {
  bool exists = false;  ///< false: no registry, or no such project in it yet
  std::string project;
  std::map<std::pair<ObjectKind, std::string>, StoredObject> objects;

  const StoredObject* Find(ObjectKind kind, const std::string& name) const;
};

using SharedSnapshot = std::shared_ptr<const RegistrySnapshot>;

/// One project of a registry, on any backend.
class Registry {
 public:
  /// Opens the backend that the config names, creating nothing: a missing registry reads as empty,
  /// and the first Apply creates it. An unknown registry_type or URL scheme is kDefinition and
  /// lists what works.
  static arrow::Result<std::unique_ptr<Registry>> Open(const definition::RepoConfig& config);

  /// `cache_ttl_seconds` is Feast's: 0 never expires.
  Registry(std::string project, std::unique_ptr<RegistryStorage> storage,
           int64_t cache_ttl_seconds);
  ~Registry();

  /// Reads what is stored now, and remembers it.
  arrow::Result<SharedSnapshot> Read();

  /// What Read or Apply has seen at most `cache_ttl_seconds` ago, else as Read.
  arrow::Result<SharedSnapshot> ReadCached();

  /// Rechecks under the write lock that every object which the plan read is as it was, then commits
  /// all changes in one transaction. kConflict names the object that somebody else changed.
  arrow::Status Apply(const Plan& plan);

  /// What was applied to an object over time; none of what viand never applied.
  arrow::Result<std::vector<Revision>> Revisions(ObjectKind kind, const std::string& name);

  /// The versions of a view that Feast's history holds, whoever wrote them.
  arrow::Result<std::vector<ViewVersion>> ViewVersions(const std::string& name);

  /// Where it is, for messages: "sqlite data/registry.db". Holds no password.
  std::string Describe() const;

 private:
  const std::string project_;
  const std::unique_ptr<RegistryStorage> storage_;
  const std::chrono::seconds cache_ttl_;
  std::mutex mutex_;  // guards what follows
  SharedSnapshot cached_;
  std::chrono::steady_clock::time_point cached_at_;
};

}  // namespace viand::registry
