#include "src/offline/training_set.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include <limits>
#include <optional>

#include "src/common/content_identity.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/offline/backfill.h"
#include "src/offline/historical.h"
#include "src/offline/key_rows.h"
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
    ARROW_ASSIGN_OR_RAISE(spine->table, ComputeLabels(context, *labels));
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

/// The rows to score where there is no snapshot population: each key of the spine once, at T (or
/// the spine's last time).
arrow::Result<ScoringSet> KeysOfSpine(const RepoContext& context, const definition::Model& model,
                                      std::optional<int64_t> as_of_us) {
  const definition::BoundView* labels = LabelsOf(context, model);
  const std::string& path = labels != nullptr ? labels->labels->spine_path : model.spine_path;
  const std::string& column =
      labels != nullptr ? labels->labels->spine_timestamp_column : model.spine_timestamp_column;
  ScoringSet set;
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  set.join_keys = SpineKeysOf(requests);
  ARROW_ASSIGN_OR_RAISE(auto scan, OpenSpine(context, AbsolutePath(context.root(), path)));
  engine::RetrievalPlan plan;
  plan.spine = std::move(scan);
  plan.spine_timestamp = column;
  ARROW_ASSIGN_OR_RAISE(const auto spine, engine::Retrieve(plan, context.execute));
  if (as_of_us) {
    set.as_of_us = *as_of_us;
  } else {
    ARROW_ASSIGN_OR_RAISE(set.as_of_us, LatestTimeUs(*spine, column));
  }
  ARROW_ASSIGN_OR_RAISE(set.table, DistinctKeys(*spine, set.join_keys));
  ARROW_ASSIGN_OR_RAISE(set.table, StampWith(set.table, set.as_of_us));
  return set;
}

arrow::Status AddFeatures(const RepoContext& context, std::vector<engine::Lookup> lookups,
                          ScoringSet* set) {
  engine::RetrievalPlan plan;
  plan.spine.table = set->table;
  plan.spine.described_as = "the population to score";
  plan.lookups = std::move(lookups);
  ARROW_ASSIGN_OR_RAISE(set->table, engine::Retrieve(plan, context.execute));
  return arrow::Status::OK();
}

/// The rows of a snapshot view as if T were its last snapshot. With a ttl of its own a key that is
/// absent at T keeps the values of an earlier snapshot; without one, only the rows at T count.
arrow::Result<std::shared_ptr<arrow::Table>> RowsUpTo(const RepoContext& context,
                                                      const definition::BoundView& view,
                                                      int64_t as_of_us) {
  ARROW_ASSIGN_OR_RAISE(auto computed, ComputeAt(context, view, as_of_us));
  if (!view.view->ttl_us) return computed;
  ARROW_ASSIGN_OR_RAISE(const Generation generation,
                        ReadCurrentGeneration(RowsFolder(context.root(), *view.view)));
  const std::vector<std::string> files = generation.Files();
  std::vector<std::shared_ptr<arrow::Table>> tables;
  for (size_t i = 0; i < files.size(); ++i) {
    if (generation.parts[i].cutoff_us >= as_of_us) break;
    ARROW_ASSIGN_OR_RAISE(auto table, ReadParquet(files[i], computed->schema()->field_names()));
    tables.push_back(std::move(table));
  }
  tables.push_back(std::move(computed));
  return arrow::ConcatenateTables(tables);
}

/// The lookup of a snapshot view as if T were its last snapshot.
arrow::Result<engine::Lookup> LookupComputedAt(const RepoContext& context,
                                               const LookupRequest& request, int64_t as_of_us) {
  engine::Lookup lookup;
  engine::AsOfView rows;
  ARROW_ASSIGN_OR_RAISE(rows.source.table, RowsUpTo(context, *request.view, as_of_us));
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

arrow::Result<std::shared_ptr<arrow::Table>> LastSnapshot(const RepoContext& context,
                                                          const definition::BoundView& population,
                                                          int64_t* as_of_us) {
  ARROW_RETURN_NOT_OK(PlanLookup(context, {.view = &population}).status());
  ARROW_ASSIGN_OR_RAISE(const Generation generation,
                        ReadCurrentGeneration(RowsFolder(context.root(), *population.view)));
  std::vector<std::string> columns = population.join_keys;
  columns.emplace_back(kEventTimestamp);
  *as_of_us = generation.parts.back().cutoff_us;
  return ReadParquet(generation.Files().back(), columns);
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
  if (population == nullptr) {
    ARROW_ASSIGN_OR_RAISE(set, KeysOfSpine(context, model, std::nullopt));
  } else {
    set.join_keys = population->join_keys;
    ARROW_ASSIGN_OR_RAISE(set.table, LastSnapshot(context, *population, &set.as_of_us));
  }
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  ARROW_ASSIGN_OR_RAISE(auto lookups, PlanLookups(context, requests));
  ARROW_RETURN_NOT_OK(AddFeatures(context, std::move(lookups), &set));
  return set;
}

arrow::Result<ScoringSet> BuildScoringSetAt(const RepoContext& context,
                                            const definition::Model& model, int64_t as_of_us) {
  const definition::BoundView* population = PopulationView(context, model);
  ScoringSet set;
  if (population == nullptr) {
    ARROW_ASSIGN_OR_RAISE(set, KeysOfSpine(context, model, as_of_us));
  } else {
    set.join_keys = population->join_keys;
    set.as_of_us = as_of_us;
    ARROW_ASSIGN_OR_RAISE(const auto rows, ComputeAt(context, *population, as_of_us));
    std::vector<int> columns;
    for (const std::string& key : set.join_keys)
      columns.push_back(rows->schema()->GetFieldIndex(key));
    columns.push_back(rows->schema()->GetFieldIndex(std::string(kEventTimestamp)));
    ARROW_ASSIGN_OR_RAISE(set.table, rows->SelectColumns(columns));
  }
  ARROW_ASSIGN_OR_RAISE(const auto requests, RequestsOfService(context, model.features.name));
  std::vector<engine::Lookup> lookups;
  for (const LookupRequest& request : requests) {
    const bool has_grid = request.view->view->computed && request.view->view->snapshots.has_value();
    ARROW_ASSIGN_OR_RAISE(engine::Lookup lookup, has_grid
                                                     ? LookupComputedAt(context, request, as_of_us)
                                                     : PlanLookup(context, request));
    lookups.push_back(std::move(lookup));
  }
  ARROW_RETURN_NOT_OK(AddFeatures(context, std::move(lookups), &set));
  return set;
}

}  // namespace viand::offline
