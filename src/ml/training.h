// Trains a model on a training set: rows of features, a label and a time, one side of a split to
// learn from, the other to test on.
//
// Thread-safe: calls share nothing but XGBoost itself. Deterministic: the same rows in the same
// order with the same parameters give the same model, byte for byte, whatever the number of
// threads.
//
//   VIAND_ASSIGN_OR_RETURN(TrainedModel trained, Train(model, *table, feature_columns,
//   "event_timestamp")); WriteFileAtomically(path, trained.booster_json);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/common/progress.h"
#include "src/definition/model.h"
#include "src/ml/metrics.h"

namespace arrow {
class Table;
}

namespace viand::ml {

struct TrainingOptions {
  int threads = 0;  ///< 0: the model's nthread, or all cores; never more than the cores
  Progress* progress = Progress::Silent();
};

/// How much a feature helped: the mean gain of the splits on it.
struct FeatureImportance {
  std::string feature;
  double gain = 0;   ///< as XGBoost counts it; 0 where no tree splits on it
  double share = 0;  ///< of the sum of all gains; the shares sum to 1 where any gain is
};

/// The rows of one side of the split.
struct SideReport {
  int64_t rows = 0;
  int64_t positive_rows = 0;                    ///< labels of 1; binary:logistic only
  double label_mean = 0;                        ///< for binary:logistic the share of 1
  std::optional<BinaryMetrics> binary;          ///< binary:logistic
  std::optional<RegressionMetrics> regression;  ///< all other objectives
};

/// All that a manifest says of a training.
struct TrainingReport {
  std::string model;
  std::string objective;
  std::string target;
  std::vector<std::pair<std::string, std::string>>
      features;  ///< name, Arrow type; in the model's order
  std::vector<std::pair<std::string, std::string>> params;  ///< as defined
  std::optional<double> fill_null;
  std::string split;  ///< SplitText
  int64_t rows = 0;
  SideReport train;
  SideReport test;
  std::vector<FeatureImportance> importance;  ///< all features, greatest gain first
  int rounds = 0;                             ///< boosting rounds in the model
  int threads = 0;
  std::string xgboost_version;
  double duration_seconds = 0;        ///< wall clock; differs from run to run
  std::vector<std::string> warnings;  ///< XGBoost's, and what a person should know
};

struct TrainedModel {
  std::string booster_json;              ///< XGBoost's JSON; Python's xgboost opens it
  std::vector<double> test_predictions;  ///< one a test row
  std::vector<int64_t> test_rows;        ///< their row numbers in the training set
  TrainingReport report;
};

/// Trains. `feature_columns` are columns of `table` in the model's order, `timestamp_column` is
/// what the split goes by. Errors: kDefinition at model.where (objective, parameters, rounds,
/// feature names), kInput (columns, labels, values, split: see split.h, training_matrix.h),
/// kEnvironment (no XGBoost), kCancelled (between rounds).
arrow::Result<TrainedModel> Train(const definition::Model& model, const arrow::Table& table,
                                  const std::vector<std::string>& feature_columns,
                                  const std::string& timestamp_column,
                                  const TrainingOptions& options = {});

}  // namespace viand::ml
