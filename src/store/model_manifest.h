// What a model was built from and how good it is: data/models/MODEL.manifest.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/store/repo_session.h"

namespace viand::ml {
struct TrainingReport;
}

namespace viand::store {

struct ModelManifest {
  std::string fingerprint;   ///< of the training set and the model's definition
  std::string model_sha256;  ///< of the model file
  TrainReport report;
};

/// Reads it; nothing where there is none, it is damaged, or the model file is another.
arrow::Result<std::optional<ModelManifest>> ReadModelManifest(const RepoSession& session,
                                                              const std::string& model);

/// Writes it atomically, with the hashes of every definition and input that the model stands on.
arrow::Status WriteModelManifest(RepoSession* session, const definition::Model& model,
                                 const ModelManifest& manifest, const ml::TrainingReport& training);

/// The report of a training as the public API has it; `step` is left empty.
TrainReport ToReport(const ml::TrainingReport& training);

}  // namespace viand::store
