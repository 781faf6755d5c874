#include "src/ml/prediction.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "src/common/cancellation.h"
#include "src/ml/booster.h"
#include "src/ml/model_attributes.h"
#include "src/ml/progress_stage.h"
#include "src/ml/training_matrix.h"

namespace viand::ml {
namespace {

// Bounds the memory of the dense rows (twice, ours and XGBoost's), and the wait after ctrl-C.
constexpr int64_t kBatchRows = 1 << 18;

arrow::Status NotAModel(std::string_view reason) {
  return MakeError(ErrorKind::kInput,
                   fmt::format("this is not a model in XGBoost's JSON: {}", reason),
                   "train the model again");
}

}  // namespace

struct Predictor::State {
  const XgboostLibrary* library;
  Booster booster;
  FeatureInfo features;
  std::optional<double> fill_null;
  int threads;
  Progress* progress;
};

Predictor::Predictor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Predictor::~Predictor() = default;

const std::vector<std::string>& Predictor::features() const { return state_->features.names; }

arrow::Result<std::unique_ptr<Predictor>> Predictor::Open(std::string_view booster_json,
                                                          const PredictionOptions& options) {
  // XGBoost would take other bytes for one of its binary formats, whose readers trust what they
  // read.
  if (booster_json.empty() || booster_json.front() != '{')
    return NotAModel("it does not start with {");
  const int threads = BoundThreads(options.threads);
  VIAND_ASSIGN_OR_RETURN(const XgboostLibrary* library, XgboostLibrary::Load(threads));
  const XgboostWarnings warnings(*library);
  VIAND_ASSIGN_OR_RETURN(Booster booster, Booster::Make(*library, nullptr, threads));
  const arrow::Status loaded = booster.LoadJson(booster_json);
  if (!loaded.ok()) return NotAModel(loaded.message());
  FeatureInfo features;
  VIAND_ASSIGN_OR_RETURN(features.names, booster.FeatureNames());
  VIAND_ASSIGN_OR_RETURN(const int64_t count, booster.FeatureCount());
  if (static_cast<int64_t>(features.names.size()) != count || count == 0) {
    return NotAModel(fmt::format("it names {} of its {} features", features.names.size(), count));
  }
  VIAND_ASSIGN_OR_RETURN(features.types, booster.FeatureTypes());
  VIAND_ASSIGN_OR_RETURN(const auto fill_null, FillNullOf(booster));
  return std::unique_ptr<Predictor>(new Predictor(std::make_unique<State>(State{
      library, std::move(booster), std::move(features), fill_null, threads, options.progress})));
}

arrow::Result<std::shared_ptr<arrow::DoubleArray>> Predictor::Predict(
    const arrow::Table& table) const {
  const State& state = *state_;
  const XgboostWarnings warnings(*state.library);
  const std::vector<int64_t> rows = AllRows(table.num_rows());
  arrow::DoubleBuilder builder;
  VIAND_RETURN_NOT_OK(builder.Reserve(table.num_rows()));
  ProgressStage stage(state.progress, "predicting", table.num_rows(), "rows");
  // At least one turn, so that a table without rows has its columns checked too.
  for (int64_t begin = 0; begin == 0 || begin < table.num_rows(); begin += kBatchRows) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    const int64_t count = std::min(kBatchRows, table.num_rows() - begin);
    VIAND_ASSIGN_OR_RETURN(const DenseMatrix dense,
                           ReadFeatures(table, state.features.names,
                                        std::span(rows).subspan(begin, count), state.fill_null));
    if (count == 0) break;
    VIAND_ASSIGN_OR_RETURN(
        const BoosterMatrix matrix,
        BoosterMatrix::Make(*state.library, dense, state.features, state.threads));
    VIAND_ASSIGN_OR_RETURN(const std::vector<double> values, state.booster.Predict(matrix));
    VIAND_RETURN_NOT_OK(builder.AppendValues(values));
    stage.Advance(count);
  }
  std::shared_ptr<arrow::DoubleArray> predictions;
  VIAND_RETURN_NOT_OK(builder.Finish(&predictions));
  return predictions;
}

arrow::Result<std::shared_ptr<arrow::DoubleArray>> Predict(std::string_view booster_json,
                                                           const arrow::Table& table,
                                                           const PredictionOptions& options) {
  VIAND_ASSIGN_OR_RETURN(const auto predictor, Predictor::Open(booster_json, options));
  return predictor->Predict(table);
}

}  // namespace viand::ml
