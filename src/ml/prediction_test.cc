#include "src/ml/prediction.h"

#include <arrow/array/array_primitive.h>
#include <gtest/gtest.h>

#include "src/ml/testing/tables.h"
#include "src/ml/training.h"

namespace viand::ml {
namespace {

using testing::Doubles;
using testing::Integers;
using testing::TableOf;

/// A model of `y = x > 10`, whose features are x and z.
std::string StepModel() {
  std::vector<std::optional<int64_t>> x, z, y, t;
  for (int64_t i = 0; i < 60; ++i) {
    x.push_back(i % 20);
    z.push_back(i % 3);
    y.push_back(i % 20 > 10 ? 1 : 0);
    t.push_back(i / 30);
  }
  const auto times =
      Integers(t)->View(arrow::timestamp(arrow::TimeUnit::SECOND, "UTC")).ValueOrDie();
  definition::Model model;
  model.name = "step";
  model.target = "y";
  model.params = {{"objective", "binary:logistic"}};
  model.num_boost_round = 5;
  const auto table =
      TableOf({{"x", Integers(x)}, {"z", Integers(z)}, {"y", Integers(y)}, {"t", times}});
  return Train(model, *table, {"x", "z"}, "t").ValueOrDie().booster_json;
}

arrow::Status OpenError(std::string_view json) { return Predictor::Open(json).status(); }

TEST(Predictor, TakesFeaturesByNameFromAnyTable) {
  const auto predictor = Predictor::Open(StepModel()).ValueOrDie();
  EXPECT_EQ(predictor->features(), (std::vector<std::string>{"x", "z"}));
  const auto table = TableOf(
      {{"name", testing::Texts({"a", "b"})}, {"z", Integers({0, 0})}, {"x", Doubles({2.0, 15.0})}});
  const auto predictions = predictor->Predict(*table).ValueOrDie();
  EXPECT_FALSE(PredictedPositive(predictions->Value(0)));
  EXPECT_TRUE(PredictedPositive(predictions->Value(1)));
}

TEST(Predictor, AnswersBatchAfterBatchAndOneRowAsMany) {
  const auto predictor = Predictor::Open(StepModel(), {.threads = 1}).ValueOrDie();
  const auto table = TableOf({{"x", Integers({1, 12, std::nullopt})}, {"z", Integers({1, 2, 0})}});
  const auto all = predictor->Predict(*table).ValueOrDie();
  for (int64_t row = 0; row < 3; ++row) {
    EXPECT_EQ(predictor->Predict(*table->Slice(row, 1)).ValueOrDie()->Value(0), all->Value(row));
  }
}

TEST(Predictor, NoRowsGiveNoPredictions) {
  const auto predictor = Predictor::Open(StepModel()).ValueOrDie();
  const auto empty = TableOf({{"x", Integers({})}, {"z", Integers({})}});
  EXPECT_EQ(predictor->Predict(*empty).ValueOrDie()->length(), 0);
  const auto lacking = TableOf({{"x", Integers({})}});
  EXPECT_EQ(predictor->Predict(*lacking).status().message(), "there is no feature column \"z\"");
}

TEST(Predictor, RefusesWhatIsNoModel) {
  EXPECT_EQ(OpenError("").message(),
            "this is not a model in XGBoost's JSON: it does not start with {");
  EXPECT_EQ(OpenError("binf and more").message(),
            "this is not a model in XGBoost's JSON: it does not start with {");
  const std::string model = StepModel();
  for (const std::string& broken :
       {std::string("{}"), std::string("{\"learner\":{}}"), model.substr(0, model.size() / 2)}) {
    const arrow::Status status = OpenError(broken);
    EXPECT_EQ(status.message().rfind("this is not a model in XGBoost's JSON: XGBoost: ", 0), 0u)
        << status.message();
    EXPECT_EQ(status.message().find("Stack trace"), std::string::npos);
    EXPECT_EQ(KindOf(status), ErrorKind::kInput);
    EXPECT_EQ(DetailOf(status)->hint, "train the model again");
  }
}

TEST(Predictor, RefusesABrokenFillNull) {
  std::string model = StepModel();
  const std::string none = "\"attributes\":{}";
  const size_t at = model.find(none);
  ASSERT_NE(at, std::string::npos);
  model.replace(at, none.size(), "\"attributes\":{\"viand.fill_null\":\"nil\"}");
  EXPECT_EQ(OpenError(model).message(),
            "the model's attribute viand.fill_null is \"nil\": expected a number");
}

}  // namespace
}  // namespace viand::ml
