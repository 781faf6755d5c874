#include "src/registry/stored_summaries.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "feast/core/data_source.pb.h"
#include "feast/core/entity.pb.h"
#include "feast/core/feature_service.pb.h"
#include "feast/core/feature_view.pb.h"
#include "feast/core/label_view.pb.h"
#include "feast/core/on_demand_feature_view.pb.h"
#include "feast/core/permission.pb.h"
#include "feast/core/project.pb.h"
#include "feast/core/saved_dataset.pb.h"
#include "feast/core/stream_feature_view.pb.h"
#include "feast/core/validation_profile.pb.h"
#include "src/registry/feast_messages.h"

namespace viand::registry {
namespace {

using feast::types::ValueType;

template <class Spec>
void AddWords(const Spec& spec, StoredSummary* summary) {
  if constexpr (requires { spec.description(); }) summary->description = spec.description();
  if constexpr (requires { spec.owner(); }) summary->owner = spec.owner();
  for (const auto& [key, value] : spec.tags())
    if (key != kRepoTag && key != kDefinitionTag) summary->tags[key] = value;
}

template <class Spec>
void AddColumns(const Spec& spec, StoredSummary* summary) {
  for (const auto& column : spec.features()) {
    summary->features.emplace_back(column.name(), ValueType::Enum_Name(column.value_type()));
    if (!column.description().empty())
      summary->feature_descriptions[column.name()] = column.description();
  }
}

std::string WhereOf(const feast::core::DataSource& source) {
  if (source.type() == feast::core::DataSource::BATCH_FILE) return source.file_options().uri();
  return feast::core::DataSource::SourceType_Name(source.type());
}

template <class Spec>
void AddView(const Spec& spec, const feast::core::DataSource* source, StoredSummary* summary) {
  AddWords(spec, summary);
  AddColumns(spec, summary);
  summary->summary =
      fmt::format("{} feature{}", spec.features_size(), spec.features_size() == 1 ? "" : "s");
  if constexpr (requires { spec.entities(); }) {
    std::string entities;
    for (const std::string& entity : spec.entities())
      if (entity != kDummyEntity) entities += (entities.empty() ? " of " : ", ") + entity;
    summary->summary += entities;
  }
  if (source != nullptr) summary->summary += " from " + WhereOf(*source);
}

template <class Texts>
std::string Joined(const Texts& texts) {
  return fmt::format("{}", fmt::join(texts.begin(), texts.end(), ", "));
}

std::string SummaryOf(const feast::core::SavedDatasetSpec& spec) {
  std::string summary =
      fmt::format("{} feature{}", spec.features_size(), spec.features_size() == 1 ? "" : "s");
  if (!spec.feature_service_name().empty())
    summary += " of feature service " + spec.feature_service_name();
  if (spec.join_keys_size() > 0) summary += " by " + Joined(spec.join_keys());
  const std::string& uri = spec.storage().file_storage().uri();
  return summary + (uri.empty() ? "" : " in " + uri);
}

std::string SummaryOf(const feast::core::PermissionSpec& spec) {
  std::vector<std::string> actions;
  for (const int action : spec.actions())
    actions.push_back(feast::core::PermissionSpec::AuthzedAction_Name(
        static_cast<feast::core::PermissionSpec::AuthzedAction>(action)));
  std::string summary = Joined(actions);
  if (spec.name_patterns_size() > 0) summary += " of names like " + Joined(spec.name_patterns());
  return summary;
}

/// The kinds that viand tells of and never reads.
void SummarizeFeastOnly(const StoredObject& object, StoredSummary* summary) {
  feast::core::Project project;
  feast::core::SavedDataset dataset;
  feast::core::ValidationReference reference;
  feast::core::Permission permission;
  if (object.kind == ObjectKind::kProject && project.ParseFromString(object.content)) {
    AddWords(project.spec(), summary);
  } else if (object.kind == ObjectKind::kSavedDataset && dataset.ParseFromString(object.content)) {
    AddWords(dataset.spec(), summary);
    summary->summary = SummaryOf(dataset.spec());
  } else if (object.kind == ObjectKind::kValidationReference &&
             reference.ParseFromString(object.content)) {
    AddWords(reference, summary);
    summary->summary = "of saved dataset " + reference.reference_dataset_name();
  } else if (object.kind == ObjectKind::kPermission && permission.ParseFromString(object.content)) {
    AddWords(permission.spec(), summary);
    summary->summary = SummaryOf(permission.spec());
  }
}

/// Parses and tells; what cannot be parsed is a name alone.
void Summarize(const StoredObject& object, StoredSummary* summary) {
  feast::core::Entity entity;
  feast::core::DataSource source;
  feast::core::FeatureView view;
  feast::core::StreamFeatureView stream;
  feast::core::OnDemandFeatureView on_demand;
  feast::core::LabelView labels;
  feast::core::FeatureService service;
  switch (object.kind) {
    case ObjectKind::kEntity:
      if (!entity.ParseFromString(object.content)) return;
      AddWords(entity.spec(), summary);
      summary->summary = entity.spec().join_key();
      return;
    case ObjectKind::kDataSource:
      if (!source.ParseFromString(object.content)) return;
      AddWords(source, summary);
      summary->summary = WhereOf(source);
      return;
    case ObjectKind::kFeatureView:
      if (!view.ParseFromString(object.content)) return;
      return AddView(view.spec(), &view.spec().batch_source(), summary);
    case ObjectKind::kStreamFeatureView:
      if (!stream.ParseFromString(object.content)) return;
      return AddView(stream.spec(), &stream.spec().batch_source(), summary);
    case ObjectKind::kOnDemandFeatureView:
      if (!on_demand.ParseFromString(object.content)) return;
      AddView(on_demand.spec(), nullptr, summary);
      summary->summary += ", computed by Feast in " + on_demand.spec().mode();
      return;
    case ObjectKind::kLabelView:
      if (!labels.ParseFromString(object.content)) return;
      return AddView(labels.spec(), &labels.spec().source(), summary);
    case ObjectKind::kFeatureService:
      if (!service.ParseFromString(object.content)) return;
      AddWords(service.spec(), summary);
      for (const auto& projection : service.spec().features())
        summary->summary += (summary->summary.empty() ? "" : ", ") + projection.feature_view_name();
      return;
    default:
      return SummarizeFeastOnly(object, summary);
  }
}

}  // namespace

std::vector<StoredSummary> SummariesOf(const RegistrySnapshot& snapshot) {
  std::vector<StoredSummary> summaries;
  for (const auto& [key, object] : snapshot.objects) {
    const bool of_feast = static_cast<int>(key.first) < static_cast<int>(ObjectKind::kDataset);
    if (!of_feast || key.second == kDummyEntity) continue;
    summaries.push_back({.kind = key.first, .name = key.second});
    Summarize(object, &summaries.back());
  }
  return summaries;
}

}  // namespace viand::registry
