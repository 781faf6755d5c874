// A model's parameters: what viand itself must know of them; the rest is XGBoost's. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "src/definition/model.h"
#include "src/ml/booster.h"
#include "src/ml/training_matrix.h"

namespace viand::ml {

/// Returns the objective (XGBoost's default reg:squarederror where none is given). kDefinition
/// where it does not give one number a row, or is unknown.
arrow::Result<std::string> ObjectiveOf(const definition::Model& model);

/// Returns the task of an objective that ObjectiveOf allows.
Task TaskOf(const std::string& objective);

/// Returns the threads to train with: `requested`, or the model's nthread, or all cores; never more
/// than the cores.
int ThreadsOf(const definition::Model& model, int requested);

/// Hands the parameters to a booster and lets it check them. kDefinition with XGBoost's own words
/// where a value does not fit. `threads` stands instead of the model's nthread.
arrow::Status ApplyParameters(const definition::Model& model, int threads, Booster* booster);

/// Appends the nearest known parameter to each warning of XGBoost's about unused ones: `did you
/// mean "max_depth"?`. `configuration` is that of Booster::Configure.
std::vector<std::string> ExplainWarnings(const std::vector<std::string>& warnings,
                                         const std::string& configuration);

}  // namespace viand::ml
