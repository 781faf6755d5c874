#include "src/ml/training.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <set>

#include "src/common/cancellation.h"
#include "src/ml/booster.h"
#include "src/ml/model_attributes.h"
#include "src/ml/progress_stage.h"
#include "src/ml/split.h"
#include "src/ml/training_matrix.h"
#include "src/ml/training_parameters.h"

namespace viand::ml {
namespace {

using definition::Model;

/// One side of the split, in XGBoost's memory and with its labels in ours.
struct Side {
  BoosterMatrix matrix;
  std::vector<float> labels;
};

arrow::Status DefinitionError(const Model& model, const std::string& message,
                              const std::string& hint = "") {
  return ErrorAt(model.where, ErrorKind::kDefinition,
                 fmt::format("model \"{}\": {}", model.name, message), hint);
}

arrow::Status CheckModel(const Model& model, const std::vector<std::string>& features) {
  if (model.type != "xgboost") {
    return DefinitionError(model, fmt::format("unknown type \"{}\": expected xgboost", model.type));
  }
  if (model.num_boost_round < 1) {
    return DefinitionError(
        model, fmt::format("num_boost_round is {}: expected at least 1", model.num_boost_round));
  }
  if (!std::isfinite(static_cast<float>(model.fill_null.value_or(0)))) {
    return DefinitionError(
        model,
        fmt::format("fill_null is {}: expected a number that float32 holds", *model.fill_null));
  }
  if (features.empty()) return DefinitionError(model, "it has no features");
  std::set<std::string> seen;
  for (const std::string& name : features) {
    if (name == model.target) {
      return DefinitionError(model, fmt::format("the target \"{}\" is also a feature", name));
    }
    if (!seen.insert(name).second) {
      return DefinitionError(model, fmt::format("feature \"{}\" is there twice", name));
    }
    if (name.find_first_of("[]<") != std::string::npos) {
      return DefinitionError(
          model, fmt::format("feature name \"{}\" has one of [ ] <, which XGBoost refuses", name));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::ChunkedArray>> TimeColumn(const arrow::Table& table,
                                                               const std::string& name) {
  auto column = table.GetColumnByName(name);
  if (column != nullptr) return column;
  return MakeError(ErrorKind::kInput, fmt::format("there is no timestamp column \"{}\"", name),
                   DidYouMean(name, table.ColumnNames()));
}

arrow::Result<Side> ReadSide(const XgboostLibrary& library, const Model& model, Task task,
                             const arrow::Table& table, const FeatureInfo& features,
                             const std::vector<int64_t>& rows, int threads) {
  VIAND_ASSIGN_OR_RETURN(std::vector<float> labels, ReadLabels(table, model.target, rows, task));
  VIAND_ASSIGN_OR_RETURN(const DenseMatrix dense,
                         ReadFeatures(table, features.names, rows, model.fill_null));
  VIAND_ASSIGN_OR_RETURN(BoosterMatrix matrix,
                         BoosterMatrix::Make(library, dense, features, threads));
  VIAND_RETURN_NOT_OK(matrix.SetLabels(labels));
  return Side{std::move(matrix), std::move(labels)};
}

arrow::Status Boost(const Model& model, const BoosterMatrix& train, Progress* progress,
                    Booster* booster) {
  ProgressStage stage(progress, "training " + model.name, model.num_boost_round, "rounds");
  for (int round = 0; round < model.num_boost_round; ++round) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    VIAND_RETURN_NOT_OK(booster->Update(round, train));
    stage.Advance(1);
  }
  return arrow::Status::OK();
}

SideReport Evaluate(Task task, const std::vector<float>& labels,
                    const std::vector<double>& predictions) {
  SideReport report;
  report.rows = static_cast<int64_t>(labels.size());
  report.label_mean = std::accumulate(labels.begin(), labels.end(), 0.0) / labels.size();
  if (task == Task::kBinary) {
    report.positive_rows = std::count(labels.begin(), labels.end(), 1.0f);
    report.binary = EvaluateBinary(labels, predictions);
  } else {
    report.regression = EvaluateRegression(labels, predictions);
  }
  return report;
}

arrow::Result<std::vector<FeatureImportance>> Importance(const Booster& booster,
                                                         const std::vector<std::string>& features) {
  VIAND_ASSIGN_OR_RETURN(const auto gains, booster.Gains());
  double sum = 0;
  for (const auto& [name, gain] : gains) sum += gain;
  std::vector<FeatureImportance> importance;
  for (const std::string& feature : features) {
    const auto found = std::find_if(gains.begin(), gains.end(),
                                    [&](const auto& gain) { return gain.first == feature; });
    const double gain = found == gains.end() ? 0 : found->second;
    importance.push_back({feature, gain, sum > 0 ? gain / sum : 0});
  }
  std::stable_sort(importance.begin(), importance.end(),
                   [](const auto& a, const auto& b) { return a.gain > b.gain; });
  return importance;
}

/// Tells of training rows that teach nothing: XGBoost takes them, and gives the same number for
/// every row.
void NoteOneClass(Task task, const SideReport& train, std::vector<std::string>* warnings) {
  if (task != Task::kBinary) return;
  if (train.positive_rows > 0 && train.positive_rows < train.rows) return;
  warnings->push_back(
      fmt::format("every label of the {} training rows is {}: there is nothing to learn",
                  train.rows, train.positive_rows == 0 ? 0 : 1));
}

bool HasGains(const Model& model) {
  return std::none_of(model.params.begin(), model.params.end(), [](const auto& param) {
    return param.first == "booster" && param.second == "gblinear";
  });
}

TrainingReport ReportOfDefinition(const Model& model, const arrow::Table& table,
                                  const std::string& objective,
                                  const std::vector<std::string>& features) {
  TrainingReport report;
  report.model = model.name;
  report.objective = objective;
  report.target = model.target;
  report.params = model.params;
  report.fill_null = model.fill_null;
  report.split = SplitText(model.split);
  report.rows = table.num_rows();
  for (const std::string& name : features) {
    report.features.emplace_back(name, table.GetColumnByName(name)->type()->ToString());
  }
  return report;
}

FeatureInfo InfoOf(const arrow::Table& table, const std::vector<std::string>& features) {
  FeatureInfo info;
  info.names = features;
  for (const std::string& name : features) {
    const auto column = table.GetColumnByName(name);
    info.types.push_back(column == nullptr ? "" : FeatureTypeOf(*column->type()));
  }
  return info;
}

arrow::Result<TrainedModel> TrainChecked(const Model& model, const arrow::Table& table,
                                         const std::vector<std::string>& features,
                                         const std::string& timestamp_column,
                                         const TrainingOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  VIAND_ASSIGN_OR_RETURN(const std::string objective, ObjectiveOf(model));
  const Task task = TaskOf(objective);
  VIAND_ASSIGN_OR_RETURN(const auto times, TimeColumn(table, timestamp_column));
  VIAND_ASSIGN_OR_RETURN(RowSplit split, SplitRows(*times, model.split, timestamp_column));

  const int threads = ThreadsOf(model, options.threads);
  VIAND_ASSIGN_OR_RETURN(const XgboostLibrary* library, XgboostLibrary::Load(threads));
  const XgboostWarnings warnings(*library);
  const FeatureInfo info = InfoOf(table, features);
  VIAND_ASSIGN_OR_RETURN(const Side train,
                         ReadSide(*library, model, task, table, info, split.train, threads));
  VIAND_ASSIGN_OR_RETURN(const Side test,
                         ReadSide(*library, model, task, table, info, split.test, threads));

  VIAND_ASSIGN_OR_RETURN(Booster booster, Booster::Make(*library, &train.matrix, threads));
  VIAND_RETURN_NOT_OK(ApplyParameters(model, threads, &booster));
  VIAND_RETURN_NOT_OK(booster.SetFeatures(info));
  VIAND_RETURN_NOT_OK(SetFillNull(model.fill_null, &booster));
  VIAND_RETURN_NOT_OK(Boost(model, train.matrix, options.progress, &booster));

  TrainedModel trained;
  VIAND_ASSIGN_OR_RETURN(const auto train_predictions, booster.Predict(train.matrix));
  VIAND_ASSIGN_OR_RETURN(trained.test_predictions, booster.Predict(test.matrix));
  VIAND_ASSIGN_OR_RETURN(trained.booster_json, booster.SaveJson());
  trained.test_rows = std::move(split.test);

  TrainingReport& report = trained.report;
  report = ReportOfDefinition(model, table, objective, features);
  report.train = Evaluate(task, train.labels, train_predictions);
  report.test = Evaluate(task, test.labels, trained.test_predictions);
  if (HasGains(model)) {
    VIAND_ASSIGN_OR_RETURN(report.importance, Importance(booster, features));
  }
  VIAND_ASSIGN_OR_RETURN(report.rounds, booster.Rounds());
  VIAND_ASSIGN_OR_RETURN(const std::string configuration, booster.Configure());
  report.warnings = ExplainWarnings(warnings.texts(), configuration);
  NoteOneClass(task, report.train, &report.warnings);
  report.threads = threads;
  report.xgboost_version = library->version();
  report.duration_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return trained;
}

}  // namespace

arrow::Result<TrainedModel> Train(const Model& model, const arrow::Table& table,
                                  const std::vector<std::string>& feature_columns,
                                  const std::string& timestamp_column,
                                  const TrainingOptions& options) {
  VIAND_RETURN_NOT_OK(CheckModel(model, feature_columns));
  auto trained = TrainChecked(model, table, feature_columns, timestamp_column, options);
  if (trained.ok() || KindOf(trained.status()) != ErrorKind::kInput) return trained;
  return WithContext(trained.status(), fmt::format("model \"{}\": ", model.name));
}

}  // namespace viand::ml
