#include "src/ml/training.h"

#include <arrow/array/builder_time.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <thread>

#include "src/common/cancellation.h"
#include "src/common/time.h"
#include "src/ml/prediction.h"
#include "src/ml/testing/tables.h"

namespace viand::ml {
namespace {

using testing::Doubles;
using testing::Integers;
using testing::TableOf;

const std::vector<std::string> kFeatures = {"visits", "spend"};
constexpr char kTime[] = "event_timestamp";

/// 300 rows in three snapshots of 100, made by a linear congruential generator that Python can
/// repeat (kGolden): the label follows from visits + spend / 4 + noise. Every eleventh `visits` is
/// null.
std::shared_ptr<arrow::Table> Customers() {
  uint64_t state = 12345;
  const auto next = [&] { return (state = (state * 1103515245 + 12345) % (1u << 31)) >> 16; };
  std::vector<std::optional<int64_t>> visits, bought;
  std::vector<std::optional<double>> spend;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::default_memory_pool());
  for (int row = 0; row < 300; ++row) {
    const auto a = static_cast<int64_t>(next() % 100);
    const double b = static_cast<double>(next() % 1000) / 8;
    const double noise = static_cast<double>(next() % 40);
    bought.push_back(static_cast<double>(a) + b / 4 + noise > 85 ? 1 : 0);
    visits.push_back(row % 11 == 5 ? std::nullopt : std::optional(a));
    spend.push_back(b);
    EXPECT_TRUE(times.Append(row / 100 * kMicrosPerDay).ok());
  }
  return TableOf({{"visits", Integers(visits)},
                  {"spend", Doubles(spend)},
                  {"bought", Integers(bought)},
                  {kTime, times.Finish().ValueOrDie()}});
}

definition::Model CustomerModel() {
  definition::Model model;
  model.name = "buyers";
  model.where = {"models.yaml", 3, 5};
  model.target = "bought";
  model.params = {{"objective", "binary:logistic"},
                  {"max_depth", "3"},
                  {"eta", "0.3"},
                  {"seed", "42"},
                  {"eval_metric", "logloss"}};
  model.num_boost_round = 10;
  return model;
}

definition::Model WithParam(const std::string& name, const std::string& value) {
  definition::Model model = CustomerModel();
  for (auto& param : model.params) {
    if (param.first == name) {
      param.second = value;
      return model;
    }
  }
  model.params.emplace_back(name, value);
  return model;
}

arrow::Result<TrainedModel> TrainCustomers(const definition::Model& model, int threads = 1) {
  return Train(model, *Customers(), kFeatures, kTime, {.threads = threads});
}

arrow::Status ErrorOf(const definition::Model& model,
                      const std::vector<std::string>& features = kFeatures) {
  return Train(model, *Customers(), features, kTime).status();
}

void ExpectBeginsWith(const std::vector<double>& values, const std::vector<double>& expected) {
  ASSERT_GE(values.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-6);
}

// The expected numbers are those of Python: xgboost 3.2 on the same float32 rows, scikit-learn's
// metrics.
TEST(Train, AgreesWithPythonsXgboostWithMissingValues) {
  const TrainedModel trained = TrainCustomers(CustomerModel()).ValueOrDie();
  ExpectBeginsWith(
      trained.test_predictions,
      {0.031407762318849564, 0.031407762318849564, 0.05498727038502693, 0.8447943925857544,
       0.17227914929389954, 0.044557638466358185, 0.7225470542907715, 0.9650021195411682});
  const auto& predictions = trained.test_predictions;
  EXPECT_NEAR(std::accumulate(predictions.begin(), predictions.end(), 0.0), 38.81726424023509,
              1e-5);
  const BinaryMetrics& metrics = trained.report.test.binary.value();
  EXPECT_NEAR(metrics.roc_auc.value(), 0.9798711755233495, 1e-12);
  EXPECT_NEAR(metrics.log_loss, 0.24498529428884097, 1e-7);
  EXPECT_NEAR(metrics.f1, 0.8941176470588236, 1e-12);
  EXPECT_NEAR(metrics.accuracy, 0.91, 1e-12);
}

TEST(Train, AgreesWithPythonsXgboostWithNullsFilled) {
  definition::Model model = CustomerModel();
  model.fill_null = 0;
  const TrainedModel trained = TrainCustomers(model).ValueOrDie();
  ExpectBeginsWith(
      trained.test_predictions,
      {0.0410441979765892, 0.0410441979765892, 0.09209750592708588, 0.29086989164352417,
       0.0921340212225914, 0.05115668103098869, 0.8385658860206604, 0.9645905494689941});
  EXPECT_NEAR(trained.report.test.binary->roc_auc.value(), 0.9794685990338164, 1e-12);
}

TEST(Train, ReportsWhatItDid) {
  const TrainedModel trained = TrainCustomers(CustomerModel()).ValueOrDie();
  const TrainingReport& report = trained.report;
  EXPECT_EQ(report.model, "buyers");
  EXPECT_EQ(report.objective, "binary:logistic");
  EXPECT_EQ(report.split, "last_snapshot");
  EXPECT_EQ(report.features, (std::vector<std::pair<std::string, std::string>>{
                                 {"visits", "int64"}, {"spend", "double"}}));
  EXPECT_EQ(report.rows, 300);
  EXPECT_EQ(report.train.rows, 200);
  EXPECT_EQ(report.train.positive_rows, 97);
  EXPECT_DOUBLE_EQ(report.train.label_mean, 0.485);
  EXPECT_EQ(report.test.rows, 100);
  EXPECT_EQ(report.rounds, 10);
  EXPECT_EQ(report.threads, 1);
  EXPECT_EQ(report.xgboost_version.substr(0, 2), "3.");
  EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
  EXPECT_EQ(trained.test_rows.front(), 200);
  EXPECT_EQ(trained.test_rows.size(), trained.test_predictions.size());
  ASSERT_EQ(report.importance.size(), 2u);
  EXPECT_EQ(report.importance[0].feature, "visits");
  EXPECT_NEAR(report.importance[0].gain, 11.486553192138672, 1e-4);
  EXPECT_NEAR(report.importance[1].gain, 3.3020198345184326, 1e-4);
  EXPECT_NEAR(report.importance[0].share + report.importance[1].share, 1, 1e-12);
}

TEST(Train, IsTheSameForAnyNumberOfThreads) {
  const std::string once = TrainCustomers(CustomerModel(), 1).ValueOrDie().booster_json;
  EXPECT_EQ(TrainCustomers(CustomerModel(), 1).ValueOrDie().booster_json, once);
  EXPECT_EQ(TrainCustomers(CustomerModel(), 2).ValueOrDie().booster_json, once);
}

TEST(Train, TheModelFileAlonePredictsTheSame) {
  for (const std::optional<double> fill : {std::optional<double>(), std::optional<double>(-2.5)}) {
    definition::Model model = CustomerModel();
    model.fill_null = fill;
    const TrainedModel trained = TrainCustomers(model).ValueOrDie();
    const auto test = Customers()->Slice(200);
    const auto predictions = Predict(trained.booster_json, *test).ValueOrDie();
    ASSERT_EQ(predictions->length(), 100);
    for (int64_t i = 0; i < 100; ++i) {
      EXPECT_EQ(predictions->Value(i), trained.test_predictions[i]) << i;
    }
  }
}

TEST(Train, RegressionHasItsOwnMetrics) {
  definition::Model model = CustomerModel();
  model.params = {{"max_depth", "3"}};
  model.target = "spend";
  const TrainedModel trained = Train(model, *Customers(), {"visits", "bought"}, kTime).ValueOrDie();
  EXPECT_EQ(trained.report.objective, "reg:squarederror");
  EXPECT_FALSE(trained.report.test.binary.has_value());
  EXPECT_TRUE(trained.report.test.regression.has_value());
  EXPECT_TRUE(trained.report.train.regression->r2.value() > 0);
}

TEST(Train, LinearBoostersHaveNoGains) {
  const TrainedModel trained = TrainCustomers(WithParam("booster", "gblinear")).ValueOrDie();
  EXPECT_TRUE(trained.report.importance.empty());
}

TEST(Train, AParameterThatNobodyUsesIsAWarningWithTheNearestName) {
  const TrainedModel trained = TrainCustomers(WithParam("max_dept", "3")).ValueOrDie();
  EXPECT_EQ(trained.report.warnings,
            std::vector<std::string>{
                "Parameters: { \"max_dept\" } are not used. did you mean \"max_depth\"?"});
}

TEST(Train, OneClassToLearnFromIsAWarning) {
  const auto table = Customers();
  const auto zeros = arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), 300).ValueOrDie();
  const auto constant =
      table->SetColumn(2, table->field(2), std::make_shared<arrow::ChunkedArray>(zeros));
  const TrainedModel trained = Train(CustomerModel(), **constant, kFeatures, kTime).ValueOrDie();
  EXPECT_EQ(trained.report.warnings,
            std::vector<std::string>{
                "every label of the 200 training rows is 0: there is nothing to learn"});
  EXPECT_FALSE(trained.report.test.binary->roc_auc.has_value());
  EXPECT_LT(trained.test_predictions[0], 0.01);
}

TEST(Train, ModelsThreadsAreUsedWhereNoneAreAsked) {
  EXPECT_EQ(TrainCustomers(WithParam("nthread", "1"), 0).ValueOrDie().report.threads, 1);
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  EXPECT_EQ(TrainCustomers(WithParam("n_jobs", "9999"), 0).ValueOrDie().report.threads, cores);
}

TEST(Train, DefinitionErrorsHaveTheModelsPlace) {
  const auto text = [](const arrow::Status& status) { return RenderError(status); };
  EXPECT_EQ(text(ErrorOf(WithParam("objective", "binary:logistc"))),
            "models.yaml:3:5: model \"buyers\": objective \"binary:logistc\" is unknown or not "
            "supported\n  hint: did you mean \"binary:logistic\"?");
  EXPECT_EQ(
      text(ErrorOf(WithParam("objective", "rank:ndcg"))),
      "models.yaml:3:5: model \"buyers\": objective \"rank:ndcg\" is unknown or not supported\n"
      "  hint: viand's models give one number a row: binary:logistic, reg:* or count:poisson");
  EXPECT_EQ(text(ErrorOf(WithParam("max_depth", "deep"))),
            "models.yaml:3:5: model \"buyers\": XGBoost: Invalid Parameter format for max_depth "
            "expect int but value='deep'");
  EXPECT_EQ(text(ErrorOf(WithParam("eval_metric", "logless"))),
            "models.yaml:3:5: model \"buyers\": XGBoost: Unknown metric function logless");
  definition::Model model = CustomerModel();
  model.num_boost_round = 0;
  EXPECT_EQ(text(ErrorOf(model)),
            "models.yaml:3:5: model \"buyers\": num_boost_round is 0: expected at least 1");
  model = CustomerModel();
  model.type = "lightgbm";
  EXPECT_EQ(text(ErrorOf(model)),
            "models.yaml:3:5: model \"buyers\": unknown type \"lightgbm\": expected xgboost");
  model = CustomerModel();
  model.fill_null = 1e300;
  EXPECT_EQ(
      text(ErrorOf(model)),
      "models.yaml:3:5: model \"buyers\": fill_null is 1e+300: expected a number that float32 "
      "holds");
  EXPECT_EQ(KindOf(ErrorOf(model)), ErrorKind::kDefinition);
}

TEST(Train, FeatureErrorsNameTheFeature) {
  const definition::Model model = CustomerModel();
  EXPECT_EQ(ErrorOf(model, {}).message(), "model \"buyers\": it has no features");
  EXPECT_EQ(ErrorOf(model, {"spend", "bought"}).message(),
            "model \"buyers\": the target \"bought\" is also a feature");
  EXPECT_EQ(ErrorOf(model, {"spend", "spend"}).message(),
            "model \"buyers\": feature \"spend\" is there twice");
  EXPECT_EQ(ErrorOf(model, {"spend[0]"}).message(),
            "model \"buyers\": feature name \"spend[0]\" has one of [ ] <, which XGBoost refuses");
  EXPECT_EQ(ErrorOf(model, {"spent"}).message(),
            "model \"buyers\": there is no feature column \"spent\"");
  EXPECT_EQ(
      ErrorOf(model, {kTime}).message(),
      "model \"buyers\": feature column \"event_timestamp\" has the type timestamp[us, tz=UTC]: "
      "expected a number or a boolean");
  const arrow::Status time = Train(model, *Customers(), kFeatures, "event_time").status();
  EXPECT_EQ(time.message(), "model \"buyers\": there is no timestamp column \"event_time\"");
  const auto none = Train(model, *Customers()->Slice(0, 0), kFeatures, kTime).status();
  EXPECT_EQ(none.message(), "model \"buyers\": the training set has no rows");
}

/// Asks for cancellation in the third round, and notes what it is told.
class CancellingProgress : public Progress {
 public:
  void Begin(std::string_view stage, int64_t total, std::string_view unit) override {
    begun = std::string(stage) + " " + std::to_string(total) + " " + std::string(unit);
  }
  void Advance(int64_t count) override {
    rounds += count;
    if (rounds == cancel_at) RequestCancellation();
  }
  void End() override { ended = true; }

  std::string begun;
  int64_t rounds = 0;
  int64_t cancel_at = -1;
  bool ended = false;
};

TEST(Train, ProgressCountsRounds) {
  CancellingProgress progress;
  ASSERT_TRUE(Train(CustomerModel(), *Customers(), kFeatures, kTime, {.progress = &progress}).ok());
  EXPECT_EQ(progress.begun, "training buyers 10 rounds");
  EXPECT_EQ(progress.rounds, 10);
  EXPECT_TRUE(progress.ended);
}

TEST(Train, StopsBetweenRoundsWhenCancelled) {
  CancellingProgress progress;
  progress.cancel_at = 3;
  const auto trained =
      Train(CustomerModel(), *Customers(), kFeatures, kTime, {.progress = &progress});
  ResetCancellation();
  EXPECT_EQ(KindOf(trained.status()), ErrorKind::kCancelled);
  EXPECT_EQ(progress.rounds, 3);
  EXPECT_TRUE(progress.ended);
}

}  // namespace
}  // namespace viand::ml
