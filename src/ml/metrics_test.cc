#include "src/ml/metrics.h"
#include "src/common/test_rounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace viand::ml {
namespace {

/// The definition of the area under the ROC curve: every pair of a positive and a negative row, one
/// by one.
std::optional<double> NaiveRocAuc(const std::vector<float>& labels,
                                  const std::vector<double>& scores) {
  double won = 0, pairs = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = 0; j < labels.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      ++pairs;
      won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  if (pairs == 0) return std::nullopt;
  return won / pairs;
}

TEST(RocAuc, AgreesWithAllPairsOnRandomScoresWithTies) {
  std::mt19937 random(7);
  for (int trial = 0; trial < TestRounds(300); ++trial) {
    const size_t rows = 1 + random() % 40;
    const unsigned levels = 1 + random() % 12;  // few levels: many ties
    std::vector<float> labels;
    std::vector<double> scores;
    for (size_t i = 0; i < rows; ++i) {
      labels.push_back(static_cast<float>(random() % 2));
      scores.push_back(static_cast<double>(random() % levels) / levels);
    }
    EXPECT_EQ(RocAuc(labels, scores), NaiveRocAuc(labels, scores)) << "trial " << trial;
  }
}

TEST(RocAuc, ByHand) {
  // scikit-learn's own example.
  const std::vector<float> labels = {0, 0, 1, 1};
  EXPECT_EQ(RocAuc(labels, std::vector<double>{0.1, 0.4, 0.35, 0.8}), 0.75);
  EXPECT_EQ(RocAuc(labels, std::vector<double>{0, 0, 1, 1}), 1.0);
  EXPECT_EQ(RocAuc(labels, std::vector<double>{1, 1, 0, 0}), 0.0);
  EXPECT_EQ(RocAuc(labels, std::vector<double>{0.5, 0.5, 0.5, 0.5}), 0.5);
}

TEST(EvaluateBinary, ByHand) {
  const std::vector<float> labels = {1, 1, 1, 0, 0, 0, 0, 0};
  const std::vector<double> probabilities = {0.9, 0.6, 0.5, 0.7, 0.2, 0.1, 0.3, 0.5};
  const BinaryMetrics metrics = EvaluateBinary(labels, probabilities);
  EXPECT_EQ(metrics.confusion.true_positives, 2);
  EXPECT_EQ(metrics.confusion.false_negatives, 1) << "a probability of one half is no predicted 1";
  EXPECT_EQ(metrics.confusion.false_positives, 1);
  EXPECT_EQ(metrics.confusion.true_negatives, 4);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 6.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.f1, 2.0 / 3);
  // Pairs: 0.9 beats 5; 0.6 beats 4; 0.5 beats 3 and ties with one: 12.5 of 15.
  EXPECT_DOUBLE_EQ(metrics.roc_auc.value(), 12.5 / 15);
  const double loss = -(std::log(0.9) + std::log(0.6) + std::log(0.5) + std::log(0.3) +
                        std::log(0.8) + std::log(0.9) + std::log(0.7) + std::log(0.5)) /
                      8;
  EXPECT_NEAR(metrics.log_loss, loss, 1e-15);
  EXPECT_TRUE(metrics.notes.empty());
}

TEST(EvaluateBinary, SingleClassHasNoAucAndSaysSo) {
  const BinaryMetrics zeros =
      EvaluateBinary(std::vector<float>{0, 0}, std::vector<double>{0.1, 0.2});
  EXPECT_FALSE(zeros.roc_auc.has_value());
  EXPECT_EQ(zeros.accuracy, 1);
  EXPECT_EQ(zeros.precision, 0);
  EXPECT_EQ(zeros.recall, 0);
  EXPECT_EQ(zeros.f1, 0);
  EXPECT_EQ(zeros.notes, (std::vector<std::string>{"ROC AUC is undefined: every label is 0",
                                                   "precision is 0: no row is predicted as 1",
                                                   "recall is 0: no label is 1"}));
  const BinaryMetrics ones = EvaluateBinary(std::vector<float>{1}, std::vector<double>{0.8});
  EXPECT_FALSE(ones.roc_auc.has_value());
  EXPECT_EQ(ones.f1, 1);
  EXPECT_EQ(ones.notes, std::vector<std::string>{"ROC AUC is undefined: every label is 1"});
}

TEST(EvaluateBinary, LogLossOfCertainMistakesIsClippedAsScikitLearnDoes) {
  const BinaryMetrics metrics = EvaluateBinary(std::vector<float>{0, 1}, std::vector<double>{1, 0});
  EXPECT_NEAR(metrics.log_loss, 36.04365338911715, 1e-12);
  EXPECT_NEAR(EvaluateBinary(std::vector<float>{0, 1}, std::vector<double>{0, 1}).log_loss, 0,
              1e-15);
}

TEST(EvaluateRegression, ByHand) {
  const RegressionMetrics metrics =
      EvaluateRegression(std::vector<float>{3, -0.5, 2, 7}, std::vector<double>{2.5, 0, 2, 8});
  EXPECT_NEAR(metrics.rmse, std::sqrt(0.375), 1e-15);
  EXPECT_DOUBLE_EQ(metrics.mae, 0.5);
  EXPECT_NEAR(metrics.r2.value(), 0.9486081370449679, 1e-15);
}

TEST(EvaluateRegression, R2OfConstantLabelsAndOfOneRow) {
  const std::vector<float> constant = {2, 2};
  EXPECT_EQ(EvaluateRegression(constant, std::vector<double>{2, 2}).r2, 1.0);
  EXPECT_EQ(EvaluateRegression(constant, std::vector<double>{2, 3}).r2, 0.0);
  const RegressionMetrics one = EvaluateRegression(std::vector<float>{2}, std::vector<double>{5});
  EXPECT_FALSE(one.r2.has_value());
  EXPECT_EQ(one.rmse, 3);
  EXPECT_EQ(one.notes, std::vector<std::string>{"R2 is undefined: there is only one row"});
}

}  // namespace
}  // namespace viand::ml
