#include "src/store/training_step.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/common/atomic_file.h"
#include "src/common/grouped_number.h"
#include "src/common/sha256.h"
#include "src/ml/training.h"
#include "src/offline/parquet_file.h"
#include "src/offline/repo_layout.h"
#include "src/offline/training_set.h"
#include "src/store/model_manifest.h"
#include "src/store/rebuild.h"
#include "src/store/step_clock.h"
#include "src/store/table_file.h"

namespace viand::store {
namespace {

// Raise it when the same training set and definition start to give another model.
constexpr std::string_view kTrainingVersion = "1";

arrow::Result<std::string> Fingerprint(const RepoSession& session, const definition::Model& model) {
  Sha256 hash;
  hash.UpdateField(kTrainingVersion);
  hash.UpdateField(definition::CanonicalText(model));
  ARROW_ASSIGN_OR_RAISE(const std::string set,
                        offline::TrainingSetFingerprint(session.context(), model));
  hash.UpdateField(set);
  return hash.HexDigest();
}

StepReport StepOf(const RepoSession& session, const TrainReport& report,
                  const std::string& status) {
  StepReport step{.step = "train", .object = report.model, .status = status};
  step.rows = report.train_rows + report.test_rows;
  step.detail =
      fmt::format("{} train, {} test rows", Grouped(report.train_rows), Grouped(report.test_rows));
  for (const auto& [name, value] : report.metrics) {
    if (name == "roc_auc") step.detail += fmt::format(", ROC AUC {:.4f}", value);
    if (name == "rmse") step.detail += fmt::format(", RMSE {:.4g}", value);
  }
  step.output =
      offline::RelativePath(session.root(), offline::ModelPath(session.root(), report.model));
  return step;
}

/// The rows, and what they were made from beside them.
arrow::Status Export(RepoSession* session, const definition::Model& model,
                     const std::shared_ptr<arrow::Table>& table, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto description, DescribeAndHash(session, TrainingSetOf(*session, model),
                                                          ManifestHashes::kContent));
  description[kExportedBy] = "train";
  ARROW_RETURN_NOT_OK(offline::WriteParquet(table, path));
  WrittenTable written;
  written.rows = table->num_rows();
  written.columns = table->num_columns();
  return WriteManifest(*session, description, path, written, ManifestHashes::kContent).status();
}

}  // namespace

arrow::Result<const definition::Model*> RequireModel(const RepoSession& session,
                                                     const std::string& name) {
  const auto& models = session.definitions().models;
  if (const definition::Model* model = offline::FindObject(models, name)) return model;
  return MakeError(ErrorKind::kNotFound, fmt::format("unknown model \"{}\"", name),
                   NearestOrAll(name, offline::NamesOf(models), "there is: "));
}

arrow::Result<TrainReport> TrainModel(RepoSession* session, const definition::Model& model,
                                      const TrainOptions& options) {
  const StepClock clock;
  if (!options.export_path.empty()) {
    ARROW_RETURN_NOT_OK(CheckParquetFile(options.export_path, "training rows"));
  }
  ARROW_RETURN_NOT_OK(session->RequireGrids());
  ModelManifest manifest;
  ARROW_ASSIGN_OR_RAISE(manifest.fingerprint, Fingerprint(*session, model));
  ARROW_ASSIGN_OR_RAISE(const auto stored, ReadModelManifest(*session, model.name));
  const bool fresh = stored && stored->fingerprint == manifest.fingerprint && !options.force;
  const auto finish = [&](TrainReport report, const std::string& status) {
    report.step = StepOf(*session, report, status);
    report.step.seconds = clock.Seconds();
    return report;
  };
  if (fresh && options.export_path.empty()) return finish(stored->report, "fresh");
  ARROW_ASSIGN_OR_RAISE(const auto set, offline::BuildTrainingSet(session->context(), model));
  if (!options.export_path.empty())
    ARROW_RETURN_NOT_OK(Export(session, model, set.table, options.export_path));
  if (fresh) return finish(stored->report, "fresh");
  ARROW_ASSIGN_OR_RAISE(
      const auto trained,
      ml::Train(model, *set.table, set.feature_columns, set.timestamp_column,
                {.threads = session->threads(), .progress = session->progress()}));
  ARROW_RETURN_NOT_OK(
      WriteFileAtomically(offline::ModelPath(session->root(), model.name), trained.booster_json));
  manifest.model_sha256 = Sha256Hex(trained.booster_json);
  manifest.report = ToReport(trained.report);
  ARROW_RETURN_NOT_OK(WriteModelManifest(session, model, manifest, trained.report));
  return finish(manifest.report, "computed");
}

}  // namespace viand::store
