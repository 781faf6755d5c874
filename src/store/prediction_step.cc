#include "src/store/prediction_step.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/common/atomic_file.h"
#include "src/common/grouped_number.h"
#include "src/common/parquet_output.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/ml/metrics.h"
#include "src/ml/prediction.h"
#include "src/offline/repo_layout.h"
#include "src/offline/training_set.h"
#include "src/store/model_manifest.h"
#include "src/store/step_clock.h"
#include "src/store/table_file.h"

namespace viand::store {
namespace {

using nlohmann::json;
constexpr int kPredictionManifestFormat = 1;  // written to disk: never change its meaning

std::string PrefixOf(const definition::Model& model) {
  const size_t last_word = model.name.rfind('_');
  return last_word == std::string::npos || last_word == 0 ? model.name
                                                          : model.name.substr(0, last_word);
}

bool IsBinary(const definition::Model& model) {
  for (const auto& [name, value] : model.params) {
    if (name == "objective") return value.starts_with("binary:");
  }
  return false;
}

/// Scores rows as they come, and writes what came of them.
class ScoredRows {
 public:
  ScoredRows(const definition::Model& model, const offline::ScoringSet& set,
             const ml::Predictor& predictor)
      : model_(model), set_(set), predictor_(predictor) {}

  /// Everything is in the file but its name.
  arrow::Status WriteTo(const std::string& path) {
    // At least one table, so that one without rows has its columns checked too.
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::MakeEmpty(set_.rows->schema()));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto scores, Score(*table));
      if (output_ == nullptr) {
        ARROW_ASSIGN_OR_RAISE(output_, ParquetOutput::Open(path, scores->schema()));
      }
      rows_ += scores->num_rows();
      arrow::TableBatchReader batches(*scores);
      std::shared_ptr<arrow::RecordBatch> batch;
      while (true) {
        ARROW_RETURN_NOT_OK(batches.ReadNext(&batch));
        if (batch == nullptr) break;
        ARROW_RETURN_NOT_OK(output_->Write(*batch));
      }
      ARROW_RETURN_NOT_OK(set_.rows->ReadNext(&batch));
      if (batch == nullptr) return output_->Close();
      ARROW_ASSIGN_OR_RAISE(table, arrow::Table::FromRecordBatches({batch}));
    }
  }

  arrow::Status Commit() { return output_->Commit().status(); }

  int64_t rows() const { return rows_; }
  int64_t predicted_positive() const { return predicted_positive_; }

 private:
  arrow::Result<std::shared_ptr<arrow::Table>> Score(const arrow::Table& table) {
    auto predictions = predictor_.Predict(table);
    if (!predictions.ok())
      return WithContext(predictions.status(), fmt::format("model \"{}\": ", model_.name));
    arrow::FieldVector fields;
    arrow::ChunkedArrayVector columns;
    const auto pass_through = [&](const std::string& name) {
      fields.push_back(table.schema()->GetFieldByName(name));
      columns.push_back(table.GetColumnByName(name));
    };
    const auto add = [&](const std::string& name, const std::shared_ptr<arrow::Array>& values) {
      fields.push_back(arrow::field(name, values->type()));
      columns.push_back(std::make_shared<arrow::ChunkedArray>(values));
    };
    for (const std::string& key : set_.join_keys) pass_through(key);
    if (IsBinary(model_)) {
      add(PrefixOf(model_) + "_probability", *predictions);
      ARROW_ASSIGN_OR_RAISE(const auto predicted, PredictedPositives(**predictions));
      add(PrefixOf(model_) + "_predicted", predicted);
    } else {
      add(PrefixOf(model_) + "_predicted", *predictions);
    }
    pass_through("event_timestamp");
    return arrow::Table::Make(arrow::schema(fields), columns, table.num_rows());
  }

  arrow::Result<std::shared_ptr<arrow::Array>> PredictedPositives(
      const arrow::DoubleArray& predictions) {
    arrow::Int64Builder predicted;
    for (int64_t row = 0; row < predictions.length(); ++row) {
      const bool positive = ml::PredictedPositive(predictions.Value(row));
      predicted_positive_ += positive ? 1 : 0;
      ARROW_RETURN_NOT_OK(predicted.Append(positive ? 1 : 0));
    }
    return predicted.Finish();
  }

  const definition::Model& model_;
  const offline::ScoringSet& set_;
  const ml::Predictor& predictor_;
  std::unique_ptr<ParquetOutput> output_;
  int64_t rows_ = 0;
  int64_t predicted_positive_ = 0;
};

std::string ManifestPath(const RepoSession& session, const definition::Model& model) {
  return offline::PredictionsPath(session.root(), model.name) + ".manifest.json";
}

/// What the default output was made from: the model file and the rows that it scored.
arrow::Result<std::string> Fingerprint(const RepoSession& session, const definition::Model& model,
                                       const std::string& model_sha256) {
  Sha256 hash;
  hash.UpdateField(definition::CanonicalText(model));
  hash.UpdateField(model_sha256);
  ARROW_ASSIGN_OR_RAISE(const std::string set,
                        offline::TrainingSetFingerprint(session.context(), model));
  hash.UpdateField(set);
  return hash.HexDigest();
}

/// The report of the file that is there, where it is what this call would make.
arrow::Result<std::optional<PredictReport>> FreshReport(const RepoSession& session,
                                                        const definition::Model& model,
                                                        const std::string& fingerprint) {
  const std::string output = offline::PredictionsPath(session.root(), model.name);
  const std::string path = ManifestPath(session, model);
  if (!std::filesystem::exists(output) || !std::filesystem::exists(path)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadWholeFile(path));
  PredictReport report;
  std::string sha256;
  try {
    const json document = json::parse(text);
    if (document.at("format") != kPredictionManifestFormat ||
        document.at("fingerprint") != fingerprint)
      return std::nullopt;
    sha256 = document.at("output_sha256");
    report.as_of_us = document.at("as_of_us");
    report.rows = document.at("rows");
    report.predicted_positive = document.at("predicted_positive");
  } catch (const json::exception&) {
    return std::nullopt;  // damaged from outside: predict again
  }
  ARROW_ASSIGN_OR_RAISE(const std::string actual, Sha256OfFile(output));
  if (actual != sha256) return std::nullopt;
  return report;
}

arrow::Status WriteManifest(const RepoSession& session, const definition::Model& model,
                            const std::string& fingerprint, const PredictReport& report) {
  ARROW_ASSIGN_OR_RAISE(const std::string sha256,
                        Sha256OfFile(offline::PredictionsPath(session.root(), model.name)));
  const json document = {{"format", kPredictionManifestFormat},
                         {"model", model.name},
                         {"viand_version", Version()},
                         {"fingerprint", fingerprint},
                         {"output_sha256", sha256},
                         {"as_of_us", report.as_of_us},
                         {"as_of", FormatTimestamp(report.as_of_us)},
                         {"rows", report.rows},
                         {"predicted_positive", report.predicted_positive}};
  return WriteFileAtomically(ManifestPath(session, model), document.dump(1) + "\n");
}

PredictReport Finish(PredictReport report, const definition::Model& model,
                     const std::string& status, const std::string& output, const StepClock& clock) {
  report.model = model.name;
  report.output = output;
  report.step = {.step = "predict",
                 .object = model.name,
                 .status = status,
                 .rows = report.rows,
                 .output = output};
  report.step.detail = fmt::format("as of {}", FormatTimestamp(report.as_of_us));
  if (report.rows == 0) {
    report.step.detail += ", nobody to score: no key of the population has rows in its window";
  } else if (IsBinary(model)) {
    report.step.detail +=
        fmt::format(", {} predicted positive", Grouped(report.predicted_positive));
  }
  report.step.seconds = clock.Seconds();
  return report;
}

}  // namespace

arrow::Result<PredictReport> PredictWithModel(RepoSession* session, const definition::Model& model,
                                              const PredictOptions& options) {
  const StepClock clock;
  if (!options.output.empty()) {
    ARROW_RETURN_NOT_OK(CheckParquetFile(options.output, "predictions"));
  }
  std::optional<int64_t> as_of_us;
  if (!options.as_of.empty()) {
    const auto parsed = ParseTimestampUs(options.as_of);
    if (!parsed.ok()) {
      return MakeError(ErrorKind::kUsage, "--as-of: " + parsed.status().message(),
                       DetailOf(parsed.status())->hint);
    }
    as_of_us = *parsed;
  }
  ARROW_RETURN_NOT_OK(session->RequireGrids());
  const std::string model_path = offline::ModelPath(session->root(), model.name);
  if (!std::filesystem::exists(model_path)) {
    return MakeError(ErrorKind::kInput, fmt::format("model \"{}\" is not trained yet", model.name),
                     fmt::format("run `viand train {}` first", model.name));
  }
  ARROW_ASSIGN_OR_RAISE(const std::string booster, ReadWholeFile(model_path, int64_t{4} << 30));
  const bool is_default = options.as_of.empty() && options.output.empty();
  const std::string default_output = offline::PredictionsPath(session->root(), model.name);
  std::string fingerprint;
  if (is_default) {
    ARROW_ASSIGN_OR_RAISE(fingerprint, Fingerprint(*session, model, Sha256Hex(booster)));
    ARROW_ASSIGN_OR_RAISE(const auto fresh, FreshReport(*session, model, fingerprint));
    if (fresh && !options.force) {
      return Finish(*fresh, model, "fresh", offline::RelativePath(session->root(), default_output),
                    clock);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const offline::ScoringSet set,
                        as_of_us ? offline::BuildScoringSetAt(session->context(), model, *as_of_us)
                                 : offline::BuildScoringSet(session->context(), model));
  // A path that was asked for is the caller's; from here on it must not depend on where that is.
  const std::string output =
      options.output.empty()
          ? default_output
          : std::filesystem::absolute(options.output).lexically_normal().string();
  const auto predictor = ml::Predictor::Open(
      booster, {.threads = session->threads(), .progress = session->progress()});
  if (!predictor.ok())
    return WithContext(predictor.status(), fmt::format("model \"{}\": ", model.name));
  ScoredRows scored(model, set, **predictor);
  ARROW_RETURN_NOT_OK(scored.WriteTo(output));
  // A forced time in the default place must not pass for the last snapshot at the next run.
  if (!is_default && output == default_output)
    std::filesystem::remove(ManifestPath(*session, model));
  ARROW_RETURN_NOT_OK(scored.Commit());
  PredictReport report;
  report.as_of_us = set.as_of_us;
  report.rows = scored.rows();
  report.predicted_positive = scored.predicted_positive();
  if (is_default) ARROW_RETURN_NOT_OK(WriteManifest(*session, model, fingerprint, report));
  return Finish(report, model, "computed", offline::RelativePath(session->root(), output), clock);
}

}  // namespace viand::store
