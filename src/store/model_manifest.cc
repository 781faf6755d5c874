#include "src/store/model_manifest.h"

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "src/common/atomic_file.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/ml/training.h"
#include "src/offline/dataset_manifest.h"
#include "src/offline/historical.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/store/retrieval_manifest.h"

namespace viand::store {
namespace {

using nlohmann::json;
constexpr int kModelManifestFormat = 1;  // written to disk: never change its meaning
constexpr double kNotDefined = std::numeric_limits<double>::quiet_NaN();

json NumberOrNull(double value) { return value == value ? json(value) : json(nullptr); }
double NumberOrNaN(const json& value) {
  return value.is_number() ? value.get<double>() : kNotDefined;
}

json ToJson(const std::vector<Metric>& metrics) {
  json list = json::array();
  for (const auto& [name, value] : metrics) list.push_back({name, NumberOrNull(value)});
  return list;
}

std::vector<Metric> MetricsFrom(const json& list) {
  std::vector<Metric> metrics;
  for (const json& entry : list) metrics.emplace_back(entry.at(0), NumberOrNaN(entry.at(1)));
  return metrics;
}

json ToJson(const TrainReport& report) {
  return {{"train_rows", report.train_rows},
          {"test_rows", report.test_rows},
          {"train_positive_rate", NumberOrNull(report.train_positive_rate)},
          {"test_positive_rate", NumberOrNull(report.test_positive_rate)},
          {"metrics", ToJson(report.metrics)},
          {"importance", ToJson(report.importance)},
          {"confusion",
           {report.true_negatives, report.false_positives, report.false_negatives,
            report.true_positives}},
          {"warnings", report.warnings}};
}

TrainReport ReportFrom(const json& document) {
  TrainReport report;
  report.train_rows = document.at("train_rows");
  report.test_rows = document.at("test_rows");
  report.train_positive_rate = NumberOrNaN(document.at("train_positive_rate"));
  report.test_positive_rate = NumberOrNaN(document.at("test_positive_rate"));
  report.metrics = MetricsFrom(document.at("metrics"));
  report.importance = MetricsFrom(document.at("importance"));
  const json& confusion = document.at("confusion");
  report.true_negatives = confusion.at(0);
  report.false_positives = confusion.at(1);
  report.false_negatives = confusion.at(2);
  report.true_positives = confusion.at(3);
  report.warnings = document.value("warnings", std::vector<std::string>{});
  return report;
}

template <typename ObjectType>
void AddHash(const std::vector<ObjectType>& objects, const std::string& name,
             const std::string& kind, json* hashes) {
  if (const auto* object = offline::FindObject(objects, name)) {
    (*hashes)[kind + " " + name] = Sha256Hex(definition::CanonicalText(*object));
  }
}

/// Hashes of the definitions that a model stands on, from its service and labels down to the
/// sources.
arrow::Result<json> DefinitionHashes(const RepoSession& session, const definition::Model& model) {
  const definition::Definitions& all = session.definitions();
  json hashes = json::object();
  AddHash(all.models, model.name, "model", &hashes);
  AddHash(all.feature_services, model.features.name, "feature service", &hashes);
  AddHash(all.labels, model.labels.name, "labels", &hashes);
  ARROW_ASSIGN_OR_RAISE(const auto requests,
                        offline::RequestsOfService(session.context(), model.features.name));
  for (const auto& request : requests) {
    const definition::FeatureView& view = *request.view->view;
    AddHash(all.feature_views, view.name, "feature view", &hashes);
    AddHash(all.sources, view.source.name, "source", &hashes);
    if (view.snapshots) AddHash(all.snapshots, view.snapshots->name, "snapshots", &hashes);
  }
  for (const definition::Dataset& dataset : all.datasets)
    AddHash(all.datasets, dataset.name, "dataset", &hashes);
  return hashes;
}

/// The raw files of datasets, the stored rows of views.
arrow::Result<json> Inputs(const RepoSession& session, const definition::Model& model) {
  json inputs = json::object();
  for (const definition::Dataset& dataset : session.definitions().datasets) {
    ARROW_ASSIGN_OR_RAISE(const auto manifest, offline::ReadDatasetManifest(offline::AbsolutePath(
                                                   session.root(), dataset.to)));
    if (!manifest) continue;
    json files = json::array();
    for (const auto& file : manifest->inputs) {
      files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    }
    inputs["datasets"][dataset.name] = {{"rows", manifest->content.rows},
                                        {"files", std::move(files)}};
  }
  ARROW_ASSIGN_OR_RAISE(const auto requests,
                        offline::RequestsOfService(session.context(), model.features.name));
  for (const auto& request : requests) {
    const std::string& name = request.view->view->name;
    ARROW_ASSIGN_OR_RAISE(const auto generation, offline::ReadCurrentGeneration(offline::RowsFolder(
                                                     session.root(), *request.view->view)));
    json parts = json::array();
    for (const auto& part : generation.parts) {
      parts.push_back({{"cutoff", FormatTimestamp(part.cutoff_us)},
                       {"rows", part.rows},
                       {"sha256", part.fingerprint}});
    }
    inputs["feature_views"][name] = std::move(parts);
  }
  return inputs;
}

json TrainingFacts(const ml::TrainingReport& training) {
  json params = json::object();
  for (const auto& [name, value] : training.params) params[name] = value;
  json features = json::array();
  for (const auto& [name, type] : training.features)
    features.push_back({{"name", name}, {"type", type}});
  return {{"objective", training.objective},
          {"target", training.target},
          {"split", training.split},
          {"params", std::move(params)},
          {"features", std::move(features)},
          {"rounds", training.rounds},
          {"fill_null", training.fill_null ? json(*training.fill_null) : json(nullptr)},
          {"xgboost_version", training.xgboost_version}};
}

}  // namespace

TrainReport ToReport(const ml::TrainingReport& training) {
  TrainReport report;
  report.model = training.model;
  report.train_rows = training.train.rows;
  report.test_rows = training.test.rows;
  const bool binary = training.test.binary.has_value();
  report.train_positive_rate = binary ? training.train.label_mean : kNotDefined;
  report.test_positive_rate = binary ? training.test.label_mean : kNotDefined;
  if (binary) {
    const ml::BinaryMetrics& metrics = *training.test.binary;
    report.metrics = {{"accuracy", metrics.accuracy},
                      {"precision", metrics.precision},
                      {"recall", metrics.recall},
                      {"f1", metrics.f1},
                      {"roc_auc", metrics.roc_auc.value_or(kNotDefined)},
                      {"log_loss", metrics.log_loss}};
    report.true_negatives = metrics.confusion.true_negatives;
    report.false_positives = metrics.confusion.false_positives;
    report.false_negatives = metrics.confusion.false_negatives;
    report.true_positives = metrics.confusion.true_positives;
  } else if (training.test.regression) {
    const ml::RegressionMetrics& metrics = *training.test.regression;
    report.metrics = {
        {"rmse", metrics.rmse}, {"mae", metrics.mae}, {"r2", metrics.r2.value_or(kNotDefined)}};
  }
  for (const auto& feature : training.importance)
    report.importance.emplace_back(feature.feature, feature.share);
  report.warnings = training.warnings;
  const auto add_notes = [&report](const std::vector<std::string>& notes) {
    report.warnings.insert(report.warnings.end(), notes.begin(), notes.end());
  };
  if (training.test.binary) add_notes(training.test.binary->notes);
  if (training.test.regression) add_notes(training.test.regression->notes);
  return report;
}

arrow::Result<std::optional<ModelManifest>> ReadModelManifest(const RepoSession& session,
                                                              const std::string& model) {
  const std::string path = offline::ModelManifestPath(session.root(), model);
  const std::string model_path = offline::ModelPath(session.root(), model);
  if (!std::filesystem::exists(path) || !std::filesystem::exists(model_path)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadWholeFile(path));
  ModelManifest manifest;
  try {
    const json document = json::parse(text);
    if (document.at("format") != kModelManifestFormat) return std::nullopt;
    manifest.fingerprint = document.at("fingerprint");
    manifest.model_sha256 = document.at("model_sha256");
    manifest.report = ReportFrom(document.at("report"));
  } catch (const json::exception&) {
    return std::nullopt;  // damaged from outside: train again
  }
  ARROW_ASSIGN_OR_RAISE(const std::string sha256, Sha256OfFile(model_path));
  if (sha256 != manifest.model_sha256) return std::nullopt;
  manifest.report.model = model;
  return manifest;
}

arrow::Status WriteModelManifest(RepoSession* session, const definition::Model& model,
                                 const ModelManifest& manifest,
                                 const ml::TrainingReport& training) {
  ARROW_ASSIGN_OR_RAISE(json definitions, DefinitionHashes(*session, model));
  ARROW_ASSIGN_OR_RAISE(json inputs, Inputs(*session, model));
  ARROW_ASSIGN_OR_RAISE(json training_set, DescribeAndHash(session, TrainingSetOf(*session, model),
                                                           ManifestHashes::kContent));
  training_set["rows"] = manifest.report.train_rows + manifest.report.test_rows;
  const json document = {{"format", kModelManifestFormat},
                         {"model", model.name},
                         {"viand_version", Version()},
                         {"trained_at", FormatTimestamp(NowUs())},
                         {"fingerprint", manifest.fingerprint},
                         {"model_sha256", manifest.model_sha256},
                         {"definitions", std::move(definitions)},
                         {"inputs", std::move(inputs)},
                         {"training_set", std::move(training_set)},
                         {"training", TrainingFacts(training)},
                         {"report", ToJson(manifest.report)}};
  return WriteFileAtomically(offline::ModelManifestPath(session->root(), model.name),
                             document.dump(1) + "\n");
}

}  // namespace viand::store
