// What viand keeps in a booster's own attributes, so that a model file alone tells how to feed it:
// predictions then use what the model was trained with, though its definition may have changed
// since. Python's xgboost shows them as Booster.attr("viand.fill_null").
#pragma once

#include <optional>

#include "src/ml/booster.h"

namespace viand::ml {

/// Notes the number that stands for nulls, or that there is none (nulls are missing).
arrow::Status SetFillNull(std::optional<double> fill_null, Booster* booster);

/// Returns the number noted; none where nulls are missing, as in a model that viand did not train.
arrow::Result<std::optional<double>> FillNullOf(const Booster& booster);

}  // namespace viand::ml
