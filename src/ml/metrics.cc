#include "src/ml/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace viand::ml {
namespace {

ConfusionMatrix Confusion(std::span<const float> labels, std::span<const double> probabilities) {
  ConfusionMatrix matrix;
  for (size_t i = 0; i < labels.size(); ++i) {
    const bool predicted = PredictedPositive(probabilities[i]);
    if (labels[i] == 1) {
      ++(predicted ? matrix.true_positives : matrix.false_negatives);
    } else {
      ++(predicted ? matrix.false_positives : matrix.true_negatives);
    }
  }
  return matrix;
}

double RatioOrZero(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double LogLoss(std::span<const float> labels, std::span<const double> probabilities) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double of_label = labels[i] == 1 ? probabilities[i] : 1 - probabilities[i];
    sum -= std::log(std::clamp(of_label, kEpsilon, 1 - kEpsilon));
  }
  return sum / static_cast<double>(labels.size());
}

}  // namespace

std::optional<double> RocAuc(std::span<const float> labels, std::span<const double> scores) {
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  int64_t positives = 0, negatives = 0;
  // Twice the number of pairs won, so that half a pair stays an integer: exact below 2^31 rows.
  int64_t twice_won = 0;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    int64_t tied_positives = 0, tied_negatives = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      ++(labels[order[end]] == 1 ? tied_positives : tied_negatives);
    }
    twice_won += tied_positives * (2 * negatives + tied_negatives);
    positives += tied_positives;
    negatives += tied_negatives;
    begin = end;
  }
  if (positives == 0 || negatives == 0) return std::nullopt;
  return static_cast<double>(twice_won) / 2 /
         (static_cast<double>(positives) * static_cast<double>(negatives));
}

BinaryMetrics EvaluateBinary(std::span<const float> labels, std::span<const double> probabilities) {
  BinaryMetrics metrics;
  metrics.confusion = Confusion(labels, probabilities);
  const ConfusionMatrix& c = metrics.confusion;
  const int64_t positives = c.true_positives + c.false_negatives;
  const int64_t predicted = c.true_positives + c.false_positives;
  metrics.accuracy =
      RatioOrZero(c.true_positives + c.true_negatives, static_cast<int64_t>(labels.size()));
  metrics.precision = RatioOrZero(c.true_positives, predicted);
  metrics.recall = RatioOrZero(c.true_positives, positives);
  metrics.f1 = RatioOrZero(2 * c.true_positives, positives + predicted);
  metrics.roc_auc = RocAuc(labels, probabilities);
  metrics.log_loss = LogLoss(labels, probabilities);
  if (!metrics.roc_auc.has_value()) {
    metrics.notes.push_back(std::string("ROC AUC is undefined: every label is ") +
                            (positives == 0 ? "0" : "1"));
  }
  if (predicted == 0) metrics.notes.push_back("precision is 0: no row is predicted as 1");
  if (positives == 0) metrics.notes.push_back("recall is 0: no label is 1");
  return metrics;
}

RegressionMetrics EvaluateRegression(std::span<const float> labels,
                                     std::span<const double> predictions) {
  const double count = static_cast<double>(labels.size());
  const double mean = std::accumulate(labels.begin(), labels.end(), 0.0) / count;
  double squares = 0, absolutes = 0, variation = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double error = labels[i] - predictions[i];
    squares += error * error;
    absolutes += std::abs(error);
    variation += (labels[i] - mean) * (labels[i] - mean);
  }
  RegressionMetrics metrics;
  metrics.rmse = std::sqrt(squares / count);
  metrics.mae = absolutes / count;
  if (labels.size() < 2) {
    metrics.notes.push_back("R2 is undefined: there is only one row");
  } else if (variation == 0) {
    metrics.r2 = squares == 0 ? 1 : 0;
    metrics.notes.push_back("R2 says little: all labels are equal");
  } else {
    metrics.r2 = 1 - squares / variation;
  }
  return metrics;
}

}  // namespace viand::ml
