#include "src/store/stored_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "src/definition/versioned_name.h"
#include "src/registry/stored_definitions.h"
#include "src/registry/view_version.h"

namespace viand::store {
namespace {

template <class Objects>
bool HasNamed(const Objects& objects, const std::string& name) {
  return std::any_of(objects.begin(), objects.end(),
                     [&](const auto& object) { return object.name == name; });
}

class NameAdder {
 public:
  NameAdder(registry::Registry* registry, definition::Definitions* definitions)
      : registry_(registry), definitions_(definitions) {
    for (const auto& view : definitions->feature_views) known_.insert(view.name);
    for (const auto& labels : definitions->labels) known_.insert(labels.name);
  }

  /// Of a view that was asked for by its name, not by a definition.
  arrow::Status AddAskedView(const std::string& text) {
    asked_ = true;
    return AddView(text);
  }

  arrow::Status AddView(const std::string& text) {
    ARROW_ASSIGN_OR_RAISE(const auto name, definition::ParseVersionedName(text));
    if (!known_.insert(name.Text()).second) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(ReadSnapshot());
    registry::StoredDefinitions stored(*snapshot_, definitions_);
    if (!name.version) {
      // What nobody has is told by those who resolve names, with the nearest.
      const bool known = stored.HasView(name.name) ||
                         snapshot_->Find(registry::ObjectKind::kOnDemandFeatureView, name.name) ||
                         snapshot_->Find(registry::ObjectKind::kLabelView, name.name);
      if (!known) return UnknownAsked(name.name, stored);
      added_ = true;
      return stored.AddView(name.name);
    }
    ARROW_ASSIGN_OR_RAISE(const auto versions, registry_->ViewVersions(name.name));
    for (const registry::ViewVersion& version : versions) {
      if (version.number != *name.version) continue;
      added_ = true;
      // The current version is as it is stored, with a ttl that changed since it began.
      ARROW_ASSIGN_OR_RAISE(const auto* current, CurrentContent(name.name, version.number));
      return stored.AddVersion(name.name, version.number,
                               current == nullptr ? version.content : *current);
    }
    return NoVersion(name, versions);
  }

  arrow::Status AddService(const std::string& name) {
    if (!HasNamed(definitions_->feature_services, name)) {
      ARROW_RETURN_NOT_OK(ReadSnapshot());
      if (snapshot_->Find(registry::ObjectKind::kFeatureService, name) == nullptr)
        return arrow::Status::OK();
      added_ = true;
      ARROW_RETURN_NOT_OK(
          registry::StoredDefinitions(*snapshot_, definitions_).AddService(name).status());
    }
    return arrow::Status::OK();
  }

  arrow::Status AddReferences() {
    // By number: adding a view may move the services.
    for (size_t i = 0; i < definitions_->feature_services.size(); ++i) {
      for (size_t j = 0; j < definitions_->feature_services[i].features.size(); ++j) {
        const definition::Reference view = definitions_->feature_services[i].features[j].view;
        const auto name = definition::ParseVersionedName(view.name);
        if (!name.ok()) return Placed(name.status(), view);
        definitions_->feature_services[i].features[j].view.name = name->Text();
        const arrow::Status added = AddView(view.name);
        if (!added.ok()) return Placed(added, view);
      }
    }
    return arrow::Status::OK();
  }

  bool added() const { return added_; }

 private:
  static arrow::Status Placed(const arrow::Status& status, const definition::Reference& reference) {
    const ErrorDetail* detail = DetailOf(status);
    if (detail == nullptr || !detail->where.file.empty() || reference.where.file.empty())
      return status;
    return ErrorAt(reference.where, ErrorKind::kDefinition, status.message(), detail->hint);
  }

  arrow::Status ReadSnapshot() {
    if (snapshot_ != nullptr) return arrow::Status::OK();
    return registry_->ReadCached().Value(&snapshot_);
  }

  /// What a definition names and nobody has is told where the definition is read.
  arrow::Status UnknownAsked(const std::string& name,
                             const registry::StoredDefinitions& stored) const {
    if (!asked_) return arrow::Status::OK();
    std::vector<std::string> names = stored.NamesOf(registry::ObjectKind::kFeatureView);
    for (const auto& view : definitions_->feature_views) names.push_back(view.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown feature view \"{}\"", name),
                     NearestOrAll(name, names, "there is: "));
  }

  arrow::Result<const std::string*> CurrentContent(const std::string& name, int64_t version) const {
    const auto* stored = snapshot_->Find(registry::ObjectKind::kFeatureView, name);
    if (stored == nullptr) return nullptr;
    ARROW_ASSIGN_OR_RAISE(const int64_t current, registry::VersionOf(name, stored->content));
    return current == version ? &stored->content : nullptr;
  }

  arrow::Status NoVersion(const definition::VersionedName& name,
                          const std::vector<registry::ViewVersion>& versions) const {
    if (versions.empty()) {
      const auto names = registry::StoredDefinitions(*snapshot_, definitions_)
                             .NamesOf(registry::ObjectKind::kFeatureView);
      return MakeError(
          ErrorKind::kNotFound,
          fmt::format("the registry has no versions of a feature view \"{}\"", name.name),
          NearestOrAll(name.name, names, "it has "));
    }
    std::vector<std::string> numbers;
    for (const registry::ViewVersion& version : versions)
      numbers.push_back(fmt::format("v{}", version.number));
    return MakeError(
        ErrorKind::kNotFound,
        fmt::format("feature view \"{}\" has no version v{}", name.name, *name.version),
        fmt::format("it has {}; `viand history {}` tells them", fmt::join(numbers, ", "),
                    name.name));
  }

  registry::Registry* const registry_;
  definition::Definitions* const definitions_;
  registry::SharedSnapshot snapshot_;
  std::set<std::string> known_;  // names of views and labels that were seen to
  bool added_ = false;
  bool asked_ = false;
};

}  // namespace

arrow::Result<bool> AddStoredNames(registry::Registry* registry, const NamesAsked& asked,
                                   definition::Definitions* definitions) {
  NameAdder adder(registry, definitions);
  for (const std::string& service : asked.services) ARROW_RETURN_NOT_OK(adder.AddService(service));
  ARROW_RETURN_NOT_OK(adder.AddReferences());
  for (const std::string& view : asked.views) ARROW_RETURN_NOT_OK(adder.AddAskedView(view));
  return adder.added();
}

}  // namespace viand::store
