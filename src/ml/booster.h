// XGBoost's two objects as owners: a matrix of rows, and a booster that learns from and predicts
// for such rows.
//
// Not thread-safe: one thread at a time for each object. Both must die before the library does (it
// lives until the process ends).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/ml/training_matrix.h"
#include "src/ml/xgboost_library.h"

namespace viand::ml {

/// The names and XGBoost types (float, int, i) of a model's inputs, in order.
struct FeatureInfo {
  std::vector<std::string> names;
  std::vector<std::string> types;
};

/// A DMatrix: rows in XGBoost's own memory.
class BoosterMatrix {
 public:
  /// Copies the rows of `matrix`; NaN is missing. At least one row.
  static arrow::Result<BoosterMatrix> Make(const XgboostLibrary& library, const DenseMatrix& matrix,
                                           const FeatureInfo& features, int threads);
  BoosterMatrix(BoosterMatrix&& other) noexcept;
  BoosterMatrix& operator=(BoosterMatrix&&) = delete;
  ~BoosterMatrix();

  /// Sets one label a row.
  arrow::Status SetLabels(const std::vector<float>& labels);

  void* handle() const { return handle_; }
  int64_t rows() const { return rows_; }

 private:
  BoosterMatrix(const XgboostLibrary& library, int64_t rows) : library_(&library), rows_(rows) {}

  const XgboostLibrary* const library_;
  const int64_t rows_;
  void* handle_ = nullptr;
};

class Booster {
 public:
  /// Makes an untrained booster for `train`, or with null one to load a model into.
  static arrow::Result<Booster> Make(const XgboostLibrary& library, const BoosterMatrix* train,
                                     int threads);
  Booster(Booster&& other) noexcept;
  Booster& operator=(Booster&&) = delete;
  ~Booster();

  arrow::Status SetParameter(const std::string& name, const std::string& value);
  arrow::Status SetFeatures(const FeatureInfo& features);
  arrow::Status SetAttribute(const std::string& key, const std::string& value);
  /// Runs one round of boosting; rounds count from 0.
  arrow::Status Update(int round, const BoosterMatrix& train);
  /// Predicts one number a row: the probability for binary:logistic. Fails with kInput where the
  /// model gives several.
  arrow::Result<std::vector<double>> Predict(const BoosterMatrix& matrix) const;

  /// Returns the model as XGBoost's JSON, which any XGBoost of the same or a later version opens.
  arrow::Result<std::string> SaveJson() const;
  arrow::Status LoadJson(std::string_view json);
  /// Checks the parameters and returns the whole configuration as JSON.
  arrow::Result<std::string> Configure();

  /// Returns the names, or XGBoost's types, of the input columns; empty where the model has none.
  arrow::Result<std::vector<std::string>> FeatureNames() const;
  arrow::Result<std::vector<std::string>> FeatureTypes() const;
  /// Returns the number of input columns.
  arrow::Result<int64_t> FeatureCount() const;
  arrow::Result<std::optional<std::string>> Attribute(const std::string& key) const;
  arrow::Result<int> Rounds() const;
  /// Returns the mean gain of the splits on each feature that has any.
  arrow::Result<std::vector<std::pair<std::string, double>>> Gains() const;

 private:
  explicit Booster(const XgboostLibrary& library) : library_(&library) {}
  arrow::Result<std::vector<std::string>> FeatureTexts(const char* field) const;

  const XgboostLibrary* const library_;
  void* handle_ = nullptr;
};

}  // namespace viand::ml
