// The step `predict`: a population, its features, a model -> a Parquet file of scores.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

/// Columns: the join keys, PREFIX_probability (double) and PREFIX_predicted (bigint, 0 or 1) - for
/// a regression only PREFIX_predicted (double) -, event_timestamp. PREFIX is the model's name
/// without its last word: "purchase_propensity" gives purchase_probability.
arrow::Result<PredictReport> PredictWithModel(RepoSession* session, const definition::Model& model,
                                              const PredictOptions& options);

}  // namespace viand::store
