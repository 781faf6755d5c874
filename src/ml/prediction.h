// Predicts with a trained model: XGBoost's JSON and a table of features -> one number a row.
//
//   VIAND_ASSIGN_OR_RETURN(auto predictor, Predictor::Open(json, {.threads = 2}));
//   VIAND_ASSIGN_OR_RETURN(auto probabilities, predictor->Predict(*table));
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/common/progress.h"
#include "src/ml/metrics.h"

namespace viand::ml {

struct PredictionOptions {
  int threads = 0;  ///< 0: all cores; never more than the cores
  Progress* progress = Progress::Silent();
};

/// A loaded model. Not thread-safe: one call at a time. Predict may be called for one batch after
/// another.
class Predictor {
 public:
  /// Loads a model. kInput where the text is not a model with named features, kEnvironment where
  /// there is no XGBoost.
  static arrow::Result<std::unique_ptr<Predictor>> Open(std::string_view booster_json,
                                                        const PredictionOptions& options = {});
  ~Predictor();

  /// Returns a number for each row of `table`, in its order: for binary:logistic the probability of
  /// 1, a float32 widened to double. The features are taken by name, nulls as at training; other
  /// columns are not looked at. kInput where a feature is missing, of a type that is no number, or
  /// beyond float32; kCancelled.
  arrow::Result<std::shared_ptr<arrow::DoubleArray>> Predict(const arrow::Table& table) const;

  /// Returns the columns that Predict reads, in the model's order.
  const std::vector<std::string>& features() const;

 private:
  struct State;
  explicit Predictor(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

/// Loads a model and predicts one table.
arrow::Result<std::shared_ptr<arrow::DoubleArray>> Predict(std::string_view booster_json,
                                                           const arrow::Table& table,
                                                           const PredictionOptions& options = {});

}  // namespace viand::ml
