#include "src/store/plan_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "src/common/data_files.h"
#include "src/common/grouped_number.h"
#include "src/ingest/ingest.h"
#include "src/offline/backfill.h"
#include "src/offline/dataset_manifest.h"
#include "src/offline/desired_parts.h"
#include "src/offline/parquet_file.h"
#include "src/offline/repo_layout.h"
#include "src/offline/view_source.h"
#include "src/store/model_manifest.h"

namespace viand::store {
namespace {

using registry::ObjectKind;

// Words about an object, and where a repo that was moved has its files now.
bool LeavesValues(const std::string& path) {
  return path.ends_with("file_options.uri") || path.ends_with("description") ||
         path.ends_with("owner") || path.starts_with("tags.") ||
         path.find(".tags.") != std::string::npos;
}

// Whether a change is of what is computed, and not of words about it.
bool ChangesMeaning(const registry::Change& change) {
  if (change.action == registry::ChangeAction::kAdd) return true;
  if (change.action != registry::ChangeAction::kChange) return false;
  return std::any_of(change.fields.begin(), change.fields.end(),
                     [](const auto& field) { return !LeavesValues(field.path); });
}

int64_t FileBytes(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error ? -1 : static_cast<int64_t>(bytes);
}

class Foreteller {
 public:
  Foreteller(const RepoSession& session, const registry::Plan& plan,
             const std::map<std::string, registry::ResolvedGrid>& grids)
      : session_(session), context_(session.context()) {
    for (const auto& [name, grid] : grids) context_.grids[name] = grid;
    for (const registry::Change& change : plan.changes) {
      if (ChangesMeaning(change)) changed_.insert({change.kind, change.name});
      if (change.action == registry::ChangeAction::kAdd) added_.insert({change.kind, change.name});
    }
  }

  arrow::Result<std::vector<PlannedWork>> Foretell() {
    if (changed_.empty()) return std::vector<PlannedWork>();
    for (const auto& dataset : session_.definitions().datasets)
      ARROW_RETURN_NOT_OK(AddDataset(dataset));
    for (const auto* view : offline::ViewsToBackfill(context_)) ARROW_RETURN_NOT_OK(AddView(*view));
    for (const auto& model : session_.definitions().models) ARROW_RETURN_NOT_OK(AddModel(model));
    return std::move(work_);
  }

 private:
  bool Changed(ObjectKind kind, const std::string& name) const {
    return changed_.contains({kind, name});
  }

  std::string Reason(ObjectKind kind, const std::string& name, const char* otherwise) const {
    if (added_.contains({kind, name})) return "new";
    return Changed(kind, name) ? "its definition changes" : otherwise;
  }

  arrow::Status AddDataset(const definition::Dataset& dataset) {
    if (!Changed(ObjectKind::kDataset, dataset.name)) return arrow::Status::OK();
    const std::string output = offline::AbsolutePath(session_.root(), dataset.to);
    ARROW_ASSIGN_OR_RAISE(const auto manifest, offline::ReadDatasetManifest(output));
    // A repo whose data was ingested before its first apply has nothing to make again.
    if (manifest && added_.contains({ObjectKind::kDataset, dataset.name}))
      return arrow::Status::OK();
    PlannedWork work{.kind = "dataset",
                     .name = dataset.name,
                     .reason = Reason(ObjectKind::kDataset, dataset.name, "")};
    // Files that are missing are the matter of the ingest.
    if (const auto files = ingest::InputFiles(dataset, session_.root()); files.ok()) {
      work.bytes_read = 0;
      for (const std::string& file : *files)
        work.bytes_read += std::max<int64_t>(0, FileBytes(file));
    }
    if (manifest) {
      work.rows_read = manifest->rows_read;
      work.rows = manifest->content.rows;
      work.bytes = FileBytes(output);
    }
    datasets_.insert(output);
    work_.push_back(std::move(work));
    return arrow::Status::OK();
  }

  // Whether the rows that a view reads will be others.
  bool SourceChanges(const std::string& name) const {
    if (views_.contains(name)) return true;
    const auto* source = offline::FindObject(session_.definitions().sources, name);
    return source != nullptr &&
           datasets_.contains(offline::AbsolutePath(session_.root(), source->path));
  }

  arrow::Status AddView(const definition::BoundView& view) {
    const definition::FeatureView& definition = *view.view;
    const std::string& source = definition.source.name;
    const bool source_changes = SourceChanges(source);
    if (!ReadsChanges(source) && !Changed(ObjectKind::kFeatureView, definition.name) &&
        !Changed(ObjectKind::kSnapshots, definition.snapshots->name))
      return arrow::Status::OK();
    PlannedWork work{
        .kind = "feature view",
        .name = definition.name,
        .reason = Reason(ObjectKind::kFeatureView, definition.name,
                         ReadsChanges(source) ? "its source changes" : "its cutoffs change")};
    const auto grid = context_.grids.find(definition.snapshots->name);
    ARROW_ASSIGN_OR_RAISE(const bool has_data, offline::HasData(context_, source));
    if (has_data && grid != context_.grids.end() && view.output != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const auto content, offline::ContentOfSource(context_, source));
      ARROW_ASSIGN_OR_RAISE(
          const auto estimate,
          offline::EstimateBackfill(context_, view, grid->second, content, source_changes));
      if (estimate.cutoffs_missing == 0) return arrow::Status::OK();
      work.cutoffs = estimate.cutoffs_missing;
      work.cutoffs_all = estimate.cutoffs;
      work.rows = estimate.rows;
      work.bytes = estimate.bytes;
      work.rows_read = estimate.rows_read;
      work.bytes_read = estimate.bytes_read;
    }
    views_.insert(definition.name);
    work_.push_back(std::move(work));
    return arrow::Status::OK();
  }

  bool ReadsChanges(const std::string& source) const {
    return SourceChanges(source) || Changed(ObjectKind::kDataSource, source);
  }

  // Whether what a model learns from will be another table.
  bool TrainingSetChanges(const definition::Model& model) const {
    const auto& all = session_.definitions();
    const auto view_changes = [&](const std::string& name) {
      const auto* view = offline::FindObject(all.feature_views, name);
      return views_.contains(name) || Changed(ObjectKind::kFeatureView, name) ||
             (view != nullptr && ReadsChanges(view->source.name));
    };
    if (Changed(ObjectKind::kFeatureService, model.features.name)) return true;
    if (const auto* service = offline::FindObject(all.feature_services, model.features.name)) {
      for (const auto& reference : service->features)
        if (view_changes(reference.view.name)) return true;
    }
    const auto* labels = offline::FindObject(all.labels, model.labels.name);
    return labels != nullptr &&
           (Changed(ObjectKind::kLabels, labels->name) || ReadsChanges(labels->source.name) ||
            view_changes(labels->population.name));
  }

  arrow::Status AddModel(const definition::Model& model) {
    const bool is_new = added_.contains({ObjectKind::kModel, model.name});
    if (!Changed(ObjectKind::kModel, model.name) && !TrainingSetChanges(model))
      return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto manifest, ReadModelManifest(session_, model.name));
    if (is_new && manifest && work_.empty()) return arrow::Status::OK();
    PlannedWork train{
        .kind = "model",
        .name = model.name,
        .reason = Reason(ObjectKind::kModel, model.name, "what it learns from changes")};
    if (manifest) {
      const TrainReport& report = manifest->report;
      train.rows_read = report.train_rows + report.test_rows;
      train.bytes = FileBytes(offline::ModelPath(session_.root(), model.name));
    }
    work_.push_back(std::move(train));
    const std::string path = offline::PredictionsPath(session_.root(), model.name);
    PlannedWork predict{.kind = "predictions",
                        .name = offline::RelativePath(session_.root(), path),
                        .reason = manifest ? "the model changes" : "new"};
    predict.bytes = FileBytes(path);
    if (predict.bytes >= 0) {
      // Damaged predictions are written again like any others.
      if (const auto rows = offline::ParquetRowCount(path); rows.ok()) predict.rows = *rows;
    }
    work_.push_back(std::move(predict));
    return arrow::Status::OK();
  }

  const RepoSession& session_;
  offline::RepoContext context_;
  std::set<std::pair<ObjectKind, std::string>> changed_, added_;
  std::set<std::string> datasets_;  // outputs that will be others
  std::set<std::string> views_;     // whose stored rows will be others
  std::vector<PlannedWork> work_;
};

}  // namespace

arrow::Result<std::vector<PlannedWork>> WorkOf(
    const RepoSession& session, const registry::Plan& plan,
    const std::map<std::string, registry::ResolvedGrid>& grids) {
  return Foreteller(session, plan, grids).Foretell();
}

}  // namespace viand::store
