#include "src/registry/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <set>

#include "src/common/grouped_number.h"
#include "src/common/sha256.h"
#include "src/registry/breaking.h"
#include "src/registry/content_diff.h"
#include "src/registry/dependants.h"
#include "src/registry/desired_objects.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"
#include "src/registry/grid_record.h"
#include "src/registry/open_storage.h"
#include "src/registry/plan_warnings.h"
#include "src/registry/view_version.h"

namespace viand::registry {
namespace {

/// Objects of another repo that a warning names.
constexpr size_t kMostNamed = 3;

std::string Label(const ObjectKey& key) {
  return fmt::format("{} {}", KindName(key.first), key.second);
}

class Planner {
 public:
  Planner(const DesiredState& desired, const RegistrySnapshot& snapshot)
      : desired_(desired),
        snapshot_(snapshot),
        dependants_(Dependants::Make(*desired.definitions->definitions, snapshot)) {}

  arrow::Result<Plan> Make() {
    VIAND_ASSIGN_OR_RETURN(objects_, BuildObjects(desired_, snapshot_));
    plan_.project = desired_.config->project;
    plan_.repo = desired_.config->repo;
    plan_.warnings = DefinitionWarnings(*desired_.definitions);
    for (const auto& [key, stored] : snapshot_.objects) plan_.expected_sha256[key] = stored.sha256;
    for (const auto& [key, object] : objects_) {
      plan_.expected_sha256.try_emplace(key, "");
      VIAND_RETURN_NOT_OK(Compare(key, object));
    }
    AddRemovals();
    std::sort(plan_.changes.begin(), plan_.changes.end(), [](const Change& a, const Change& b) {
      return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    return std::move(plan_);
  }

 private:
  arrow::Status Compare(const ObjectKey& key, const DesiredObject& object) {
    Change change{.action = ChangeAction::kUnchanged, .kind = key.first, .name = key.second};
    change.desired.kind = key.first;
    change.desired.name = key.second;
    change.desired.content = object.content;
    const StoredObject* stored = snapshot_.Find(key.first, key.second);
    if (stored == nullptr) {
      change.action = ChangeAction::kAdd;
    } else if (stored->content != object.content) {
      VIAND_RETURN_NOT_OK(Describe(*stored, object, &change));
    }
    VIAND_RETURN_NOT_OK(CheckVersion(object, change, stored));
    change.desired.sha256 =
        change.action == ChangeAction::kUnchanged ? stored->sha256 : Sha256Hex(object.content);
    plan_.changes.push_back(std::move(change));
    return arrow::Status::OK();
  }

  arrow::Status Describe(const StoredObject& stored, const DesiredObject& object, Change* change) {
    change->action = ChangeAction::kChange;
    VIAND_ASSIGN_OR_RETURN(change->fields,
                           DiffContents(stored.kind, stored.name, stored.content, object.content));
    if (HasMessage(stored.kind)) VIAND_RETURN_NOT_OK(DescribeMessage(stored, object, change));
    VIAND_ASSIGN_OR_RETURN(change->why_breaking,
                           WhyBreaking(stored.kind, stored.name, stored.content, object.content));
    change->breaking = !change->why_breaking.empty();
    VIAND_RETURN_NOT_OK(SetVersions(stored, object, change));
    for (const ObjectKey& reader : dependants_.Of({stored.kind, stored.name}))
      change->dependants.push_back(Label(reader));
    return arrow::Status::OK();
  }

  arrow::Status DescribeMessage(const StoredObject& stored, const DesiredObject& object,
                                Change* change) {
    const ObjectKind kind = stored.kind;
    VIAND_ASSIGN_OR_RETURN(const auto before, ParseMessage(kind, stored.name, stored.content));
    VIAND_ASSIGN_OR_RETURN(const auto after, ParseMessage(kind, stored.name, object.content));
    if (kind == ObjectKind::kProject) return arrow::Status::OK();
    const std::string old_definition = TagOf(kind, *before, kDefinitionTag);
    const bool same_definition = old_definition == TagOf(kind, *after, kDefinitionTag);
    const bool written_by_others = stored.applied_sha256 != stored.sha256;
    if (written_by_others && (same_definition || old_definition.empty()))
      change->action = ChangeAction::kDrift;
    if (TagOf(kind, *before, kRepoTag) != plan_.project)
      plan_.warnings.push_back(fmt::format(
          "{} \"{}\" of the registry {}; apply makes it this repo's", KindName(kind), stored.name,
          stored.applied_sha256.empty()
              ? "was not written by viand"
              : "has lost its tag viand.repo: another Feast client rewrote it"));
    return arrow::Status::OK();
  }

  /// Counts a view's version on; a definition may say which version it is meant to be, and so that
  /// what it breaks is meant.
  arrow::Status SetVersions(const StoredObject& stored, const DesiredObject& object,
                            Change* change) {
    change->needs_force = change->breaking && (stored.kind == ObjectKind::kFeatureView ||
                                               stored.kind == ObjectKind::kEntity);
    if (stored.kind != ObjectKind::kFeatureView) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(const bool is_new,
                           IsNewVersion(stored.name, stored.content, object.content));
    if (!is_new) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(change->old_version, VersionOf(stored.name, stored.content));
    change->new_version = *change->old_version + 1;
    if (object.version == change->new_version) change->needs_force = false;
    return arrow::Status::OK();
  }

  /// A definition that says which version it is says so rightly.
  static arrow::Status CheckVersion(const DesiredObject& object, const Change& change,
                                    const StoredObject* stored) {
    if (!object.version || change.kind != ObjectKind::kFeatureView) return arrow::Status::OK();
    int64_t expected = 0;
    if (change.new_version) {
      expected = *change.new_version;
    } else if (stored != nullptr) {
      VIAND_ASSIGN_OR_RETURN(expected, VersionOf(stored->name, stored->content));
    }
    if (*object.version == expected) return arrow::Status::OK();
    std::string why;
    if (stored == nullptr) {
      why = "the registry has none of it yet, and versions begin with v0";
    } else if (change.new_version) {
      why = fmt::format("its definition is not that of v{} in the registry, so it will be v{}",
                        *change.old_version, expected);
    } else {
      why = fmt::format("its definition is that of v{} in the registry", expected);
    }
    return ErrorAt(object.where, ErrorKind::kDefinition,
                   fmt::format("feature view \"{}\" says that it is version v{}, but {}",
                               change.name, *object.version, why),
                   fmt::format("write `version: v{}`, or leave it out to count on", expected));
  }

  /// A registry inside the repo is nobody else's, wherever the repo was when it applied.
  bool IsOfThisRepo(const StoredObject& stored) const {
    return stored.repo.empty() || stored.repo == desired_.config->repo ||
           IsRegistryInsideRepo(*desired_.config);
  }

  /// Whether viand wrote it, for this repo or another.
  bool Owns(const StoredObject& stored) const {
    if (static_cast<int>(stored.kind) >= static_cast<int>(ObjectKind::kDataset)) return true;
    if (!HasMessage(stored.kind) || stored.kind == ObjectKind::kProject) return false;
    const auto message = ParseMessage(stored.kind, stored.name, stored.content);
    return message.ok() && TagOf(stored.kind, **message, kRepoTag) == plan_.project;
  }

  void AddRemovals() {
    std::set<ObjectKey> removed;
    std::map<std::string, std::vector<std::string>> of_others;
    for (const auto& [key, stored] : snapshot_.objects) {
      if (objects_.contains(key) || !Owns(stored)) continue;
      if (IsOfThisRepo(stored)) {
        removed.insert(key);
      } else {
        of_others[stored.repo].push_back(Label(key));
      }
    }
    for (const auto& [repo, names] : of_others) {
      plan_.warnings.push_back(fmt::format(
          "{} of project \"{}\" {} applied by the repo {} and stay: {}{}; `repo: NAME` in the "
          "feature_store.yaml of several folders makes them one repo",
          Counted(names.size(), "object"), plan_.project, names.size() == 1 ? "was" : "were", repo,
          fmt::join(names.begin(), names.begin() + std::min(names.size(), kMostNamed), ", "),
          names.size() > kMostNamed ? ", ..." : ""));
    }
    for (const ObjectKey& key : removed) {
      Change change{.action = ChangeAction::kRemove, .kind = key.first, .name = key.second};
      change.desired.kind = key.first;
      change.desired.name = key.second;
      for (const ObjectKey& reader : dependants_.Of(key))
        if (!removed.contains(reader)) change.dependants.push_back(Label(reader));
      change.breaking = !change.dependants.empty();
      if (change.breaking)
        change.why_breaking =
            fmt::format("it is still read by {}", fmt::join(change.dependants, ", "));
      plan_.changes.push_back(std::move(change));
    }
  }

  const DesiredState& desired_;
  const RegistrySnapshot& snapshot_;
  const Dependants dependants_;
  std::map<ObjectKey, DesiredObject> objects_;
  Plan plan_;
};

}  // namespace

bool Plan::HasEffect() const {
  return std::any_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.action != ChangeAction::kUnchanged;
  });
}

bool Plan::HasRemoval() const {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.action == ChangeAction::kRemove; });
}

bool Plan::HasBreaking() const {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.breaking; });
}

bool Plan::NeedsForce() const {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.needs_force; });
}

arrow::Result<Plan> MakePlan(const DesiredState& desired, const RegistrySnapshot& snapshot) {
  return Planner(desired, snapshot).Make();
}

arrow::Result<std::map<std::string, ResolvedGrid>> RecordedGrids(const RegistrySnapshot& snapshot) {
  std::map<std::string, ResolvedGrid> grids;
  for (const auto& [key, object] : snapshot.objects) {
    if (key.first != ObjectKind::kSnapshots) continue;
    VIAND_ASSIGN_OR_RETURN(auto grid, GridOf(object.content));
    if (grid) grids.emplace(key.second, std::move(*grid));
  }
  return grids;
}

}  // namespace viand::registry
