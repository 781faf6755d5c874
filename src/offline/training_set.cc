#include "src/offline/training_set.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "src/common/content_identity.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/engine/executor.h"
#include "src/engine/key_rows.h"
#include "src/offline/backfill.h"
#include "src/offline/historical.h"
#include "src/offline/parquet_file.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/offline/spine.h"
#include "src/offline/view_plan.h"
#include "src/offline/view_source.h"

namespace viand::offline {
namespace {

constexpr std::string_view kEventTimestamp = "event_timestamp";

const definition::BoundView* LabelsOf(const RepoContext& context, const definition::Model& model) {
  return model.labels.name.empty() ? nullptr : context.bound->FindLabels(model.labels.name);
}

/// The snapshot view whose rows a model scores; null with a spine.
const definition::BoundView* PopulationView(const RepoContext& context,
                                            const definition::Model& model) {
  const definition::BoundView* labels = LabelsOf(context, model);
  if (labels == nullptr || labels->labels->population.name.empty()) return nullptr;
  return context.bound->FindView(labels->labels->population.name);
}

arrow::Result<std::vector<engine::Lookup>> PlanLookups(const RepoContext& context,
                                                       const std::vector<LookupRequest>& requests) {
  std::vector<engine::Lookup> lookups;
  for (const LookupRequest& request : requests) {
    ARROW_ASSIGN_OR_RAISE(engine::Lookup lookup, PlanLookup(context, request));
    lookups.push_back(std::move(lookup));
  }
  return lookups;
}

/// Adds to a hash what the rows of a view are made of.
arrow::Status HashView(const RepoContext& context, const definition::BoundView& view,
                       Sha256* hash) {
  hash->UpdateField(definition::CanonicalText(*view.view));
  if (view.view->computed && view.view->snapshots) {
    ARROW_ASSIGN_OR_RAISE(const Generation generation,
                          ReadCurrentGeneration(RowsFolder(context.root(), *view.view)));
    for (const Part& part : generation.parts) hash->UpdateField(part.fingerprint);
    return arrow::Status::OK();
  }
  const std::string& name = view.view->source.name;
  if (const auto* source = FindObject(context.bound->definitions->sources, name)) {
    hash->UpdateField(definition::CanonicalText(*source));
  }
  ARROW_ASSIGN_OR_RAISE(const SourceContent content, ContentOfSource(context, name));
  hash->UpdateField(
      content.HashOf(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  return arrow::Status::OK();
}

arrow::Status HashLabels(const RepoContext& context, const definition::BoundView& labels,
                         Sha256* hash) {
  hash->UpdateField(ComputationHash(context, labels));
  ARROW_ASSIGN_OR_RAISE(const SourceContent content,
                        ContentOfSource(context, labels.labels->source.name));
  hash->UpdateField(
      content.HashOf(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  if (labels.labels->population.name.empty()) {
    ARROW_ASSIGN_OR_RAISE(const std::string spine,
                          ContentIdentity(AbsolutePath(context.root(), labels.labels->spine_path)));
    hash->UpdateField(spine);
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto* population,
                        RequireView(context, labels.labels->population.name));
  return HashView(context, *population, hash);
}

arrow::Result<TrainingSet> OpenLabelRows(const RepoContext& context, const definition::Model& model,
                                         engine::Scan* spine) {
  TrainingSet set;
  if (const definition::BoundView* labels = LabelsOf(context, model)) {
    ARROW_ASSIGN_OR_RAISE(spine->held, ComputeLabels(context, *labels));
    spine->described_as = fmt::format("labels \"{}\"", labels->labels->name);
    set.timestamp_column = labels->labels->population.name.empty()
                               ? labels->labels->spine_timestamp_column
                               : std::string(kEventTimestamp);
    return set;
  }
  ARROW_ASSIGN_OR_RAISE(*spine, OpenSpine(context, AbsolutePath(context.root(), model.spine_path)));
  set.timestamp_column = model.spine_timestamp_column;
  return set;
}

/// The spine's key columns that a list of lookups needs, each once, in order of first use.
std::vector<std::string> SpineKeysOf(const std::vector<LookupRequest>& requests) {
  std::vector<std::string> keys;
  for (const LookupRequest& request : requests) {
    for (const std::string& key : request.view->join_keys) {
      const auto mapped = request.join_key_map.find(key);
      const std::string& column = mapped == request.join_key_map.end() ? key : mapped->second;
      if (std::find(keys.begin(), keys.end(), column) == keys.end()) keys.push_back(column);
    }
  }
  return keys;
}

/// The rows to score where there is no snapshot population: each key of the spine once, at T (or
/// the spine's last time).
arrow::Result<engine::Scan> KeysOfSpine(const RepoContext& context, const definition::Model& model,
                                        std::optional<int64_t> as_of_us, ScoringSet* set) {
  const definition::BoundView* labels = LabelsOf(context, model);
  const std::string& path = labels != nullptr ? labels->labels->spine_path : model.spine_path;
  const std::string& column =
      labels != nullptr ? labels->labels->spine_timestamp_column : model.spine_timestamp_column;
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  set->join_keys = SpineKeysOf(requests);
  ARROW_ASSIGN_OR_RAISE(const auto spine, OpenSpine(context, AbsolutePath(context.root(), path)));
  ARROW_ASSIGN_OR_RAISE(
      auto keys, engine::FirstKeys(spine, column, set->join_keys, as_of_us, context.execute));
  set->as_of_us = keys.time_us;
  engine::Scan scan;
  scan.held = std::move(keys.rows);
  return scan;
}

/// The (key, t) of rows of a snapshot view in a file.
arrow::Result<engine::Scan> PopulationIn(const std::string& file,
                                         const definition::BoundView& view) {
  engine::Scan scan;
  scan.files = {file};
  ARROW_ASSIGN_OR_RAISE(const auto schema, ReadParquetSchema(file));
  std::vector<std::string> columns = view.join_keys;
  columns.emplace_back(kEventTimestamp);
  arrow::FieldVector fields;
  for (const std::string& column : columns) fields.push_back(schema->GetFieldByName(column));
  scan.schema = arrow::schema(std::move(fields));
  return scan;
}

arrow::Status AddFeatures(const RepoContext& context, engine::Scan population,
                          std::vector<engine::Lookup> lookups, ScoringSet* set) {
  engine::RetrievalPlan plan;
  plan.spine = std::move(population);
  plan.spine.described_as = "the population to score";
  plan.lookups = std::move(lookups);
  ARROW_ASSIGN_OR_RAISE(set->rows, engine::RetrieveRows(plan, context.execute));
  return arrow::Status::OK();
}

/// Snapshot views as if T were their last snapshot, each computed once.
class ViewsAt {
 public:
  static arrow::Result<ViewsAt> Make(const RepoContext& context, int64_t as_of_us) {
    const std::string shared = context.execute.executor->StoragePath();
    ARROW_ASSIGN_OR_RAISE(auto folder, engine::StorageFolder::Make(
                                           shared.empty() ? context.temporary_folder : shared));
    return ViewsAt(context, as_of_us, std::move(folder));
  }

  const std::shared_ptr<const engine::StorageFolder>& folder() const { return folder_; }

  /// The file of a view's rows at T.
  arrow::Result<std::string> FileOf(const definition::BoundView& view) {
    const auto [known, fresh] = files_.try_emplace(
        &view, engine::PathIn(folder_->path(), fmt::format("{}.parquet", files_.size())));
    if (fresh) ARROW_RETURN_NOT_OK(ComputeAt(*context_, view, as_of_us_, known->second));
    return known->second;
  }

  /// With a ttl of its own a key that is absent at T keeps the values of an earlier snapshot;
  /// without one, only the rows at T count.
  arrow::Result<std::vector<std::string>> FilesUpTo(const definition::BoundView& view) {
    std::vector<std::string> files;
    if (view.view->ttl_us) {
      ARROW_ASSIGN_OR_RAISE(const Generation generation,
                            ReadCurrentGeneration(RowsFolder(context_->root(), *view.view)));
      const std::vector<std::string> stored = generation.Files();
      for (size_t i = 0; i < stored.size() && generation.parts[i].cutoff_us < as_of_us_; ++i)
        files.push_back(stored[i]);
    }
    ARROW_ASSIGN_OR_RAISE(files.emplace_back(), FileOf(view));
    return files;
  }

 private:
  ViewsAt(const RepoContext& context, int64_t as_of_us,
          std::shared_ptr<const engine::StorageFolder> folder)
      : context_(&context), as_of_us_(as_of_us), folder_(std::move(folder)) {}

  const RepoContext* context_;
  int64_t as_of_us_;
  std::shared_ptr<const engine::StorageFolder> folder_;
  std::map<const definition::BoundView*, std::string> files_;
};

/// The lookup of a snapshot view as if T were its last snapshot.
arrow::Result<engine::Lookup> LookupComputedAt(const LookupRequest& request, int64_t as_of_us,
                                               ViewsAt* views) {
  engine::Lookup lookup;
  engine::AsOfView rows;
  ARROW_ASSIGN_OR_RAISE(rows.source.files, views->FilesUpTo(*request.view));
  rows.source.described_as =
      fmt::format("feature view \"{}\" at {}", request.view->view->name, FormatTimestamp(as_of_us));
  rows.keys = request.view->join_keys;
  rows.timestamp_column = kEventTimestamp;
  rows.ttl_us = request.view->ttl_us;
  if (!request.view->view->ttl_us) rows.grid_us = {as_of_us};
  for (const std::string& name : FeatureColumns({request})) {
    rows.columns.push_back(name.substr(request.prefix.size()));
    lookup.output_names.push_back(name);
  }
  for (const std::string& key : request.view->join_keys) {
    const auto mapped = request.join_key_map.find(key);
    lookup.spine_keys.push_back(mapped == request.join_key_map.end() ? key : mapped->second);
  }
  lookup.view = std::move(rows);
  return lookup;
}

arrow::Result<engine::Scan> LastSnapshot(const RepoContext& context,
                                         const definition::BoundView& population,
                                         int64_t* as_of_us) {
  ARROW_RETURN_NOT_OK(PlanLookup(context, {.view = &population}).status());
  ARROW_ASSIGN_OR_RAISE(const Generation generation,
                        ReadCurrentGeneration(RowsFolder(context.root(), *population.view)));
  *as_of_us = generation.parts.back().cutoff_us;
  return PopulationIn(generation.Files().back(), population);
}

}  // namespace

arrow::Result<TrainingSet> BuildTrainingSet(const RepoContext& context,
                                            const definition::Model& model) {
  engine::RetrievalPlan plan;
  ARROW_ASSIGN_OR_RAISE(TrainingSet set, OpenLabelRows(context, model, &plan.spine));
  plan.spine_timestamp = set.timestamp_column;
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  set.feature_columns = FeatureColumns(requests);
  ARROW_ASSIGN_OR_RAISE(plan.lookups, PlanLookups(context, requests));
  ARROW_ASSIGN_OR_RAISE(set.table, engine::Retrieve(plan, context.execute));
  return set;
}

arrow::Result<std::string> TrainingSetFingerprint(const RepoContext& context,
                                                  const definition::Model& model) {
  Sha256 hash;
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  for (const std::string& column : FeatureColumns(requests)) hash.UpdateField(column);
  for (const LookupRequest& request : requests) {
    ARROW_RETURN_NOT_OK(HashView(context, *request.view, &hash));
    for (const auto& [key, column] : request.join_key_map) hash.UpdateField(key + "=" + column);
  }
  if (const definition::BoundView* labels = LabelsOf(context, model)) {
    ARROW_RETURN_NOT_OK(HashLabels(context, *labels, &hash));
  } else {
    ARROW_ASSIGN_OR_RAISE(const std::string spine,
                          ContentIdentity(AbsolutePath(context.root(), model.spine_path)));
    hash.UpdateField(spine);
  }
  return hash.HexDigest();
}

arrow::Result<ScoringSet> BuildScoringSet(const RepoContext& context,
                                          const definition::Model& model) {
  const definition::BoundView* population = PopulationView(context, model);
  ScoringSet set;
  engine::Scan scan;
  if (population == nullptr) {
    ARROW_ASSIGN_OR_RAISE(scan, KeysOfSpine(context, model, std::nullopt, &set));
  } else {
    set.join_keys = population->join_keys;
    ARROW_ASSIGN_OR_RAISE(scan, LastSnapshot(context, *population, &set.as_of_us));
  }
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  ARROW_ASSIGN_OR_RAISE(auto lookups, PlanLookups(context, requests));
  ARROW_RETURN_NOT_OK(AddFeatures(context, std::move(scan), std::move(lookups), &set));
  return set;
}

arrow::Result<ScoringSet> BuildScoringSetAt(const RepoContext& context,
                                            const definition::Model& model, int64_t as_of_us) {
  const definition::BoundView* population = PopulationView(context, model);
  ARROW_ASSIGN_OR_RAISE(ViewsAt views, ViewsAt::Make(context, as_of_us));
  ScoringSet set{.computed = views.folder()};
  engine::Scan scan;
  if (population == nullptr) {
    ARROW_ASSIGN_OR_RAISE(scan, KeysOfSpine(context, model, as_of_us, &set));
  } else {
    set.join_keys = population->join_keys;
    set.as_of_us = as_of_us;
    ARROW_ASSIGN_OR_RAISE(const std::string file, views.FileOf(*population));
    ARROW_ASSIGN_OR_RAISE(scan, PopulationIn(file, *population));
  }
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  std::vector<engine::Lookup> lookups;
  for (const LookupRequest& request : requests) {
    const bool has_grid = request.view->view->computed && request.view->view->snapshots.has_value();
    ARROW_ASSIGN_OR_RAISE(engine::Lookup lookup, has_grid
                                                     ? LookupComputedAt(request, as_of_us, &views)
                                                     : PlanLookup(context, request));
    lookups.push_back(std::move(lookup));
  }
  ARROW_RETURN_NOT_OK(AddFeatures(context, std::move(scan), std::move(lookups), &set));
  return set;
}

}  // namespace viand::offline
