// The step `train`: training set -> model file and manifest.
#pragma once

#include "src/store/repo_session.h"

namespace viand::store {

/// Trains where the training set or the model's definition changed, else reports what the manifest
/// says.
arrow::Result<TrainReport> TrainModel(RepoSession* session, const definition::Model& model,
                                      const TrainOptions& options);

/// A model by name; kUsage with the nearest name where there is none.
arrow::Result<const definition::Model*> RequireModel(const RepoSession& session,
                                                     const std::string& name);

}  // namespace viand::store
