// How good predictions are, by the formulas of scikit-learn (the numbers agree with it to
// rounding). Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand::ml {

inline constexpr double kDecisionThreshold = 0.5;

/// Tells whether a probability counts as a predicted 1: above one half, as XGBClassifier.predict
/// decides.
inline bool PredictedPositive(double probability) { return probability > kDecisionThreshold; }

struct ConfusionMatrix {
  int64_t true_negatives = 0;
  int64_t false_positives = 0;
  int64_t false_negatives = 0;
  int64_t true_positives = 0;
};

struct BinaryMetrics {
  ConfusionMatrix confusion;  ///< at kDecisionThreshold
  double accuracy = 0;
  double precision = 0;            ///< 0 where nothing is predicted positive
  double recall = 0;               ///< 0 where nothing is positive
  double f1 = 0;                   ///< 0 where nothing is positive nor predicted so
  std::optional<double> roc_auc;   ///< absent where there is only one class
  double log_loss = 0;             ///< probabilities clipped to [2^-52, 1 - 2^-52]
  std::vector<std::string> notes;  ///< what was undefined, for people
};

struct RegressionMetrics {
  double rmse = 0;
  double mae = 0;
  std::optional<double>
      r2;  ///< absent with fewer than two rows; 1 or 0 where the labels are all equal
  std::vector<std::string> notes;
};

/// Compares labels (0 or 1) with probabilities, one a row; at least one row.
BinaryMetrics EvaluateBinary(std::span<const float> labels, std::span<const double> probabilities);

/// Compares numbers with predictions, one a row; at least one row.
RegressionMetrics EvaluateRegression(std::span<const float> labels,
                                     std::span<const double> predictions);

/// Returns the area under the ROC curve: the share of the pairs of a positive and a negative row in
/// which the positive one has the greater score, a tie counting one half (Mann-Whitney U). Absent
/// where a class has no row.
std::optional<double> RocAuc(std::span<const float> labels, std::span<const double> scores);

}  // namespace viand::ml
