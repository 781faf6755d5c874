// The rows that a model learns from, and those that it scores.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/engine/storage_folder.h"
#include "src/offline/repo_context.h"

namespace arrow {
class RecordBatchReader;
class Table;
}  // namespace arrow

namespace viand::offline {

struct TrainingSet {
  std::shared_ptr<arrow::Table> table;       ///< the spine's or labels' columns, then the features
  std::vector<std::string> feature_columns;  ///< in order of the service
  std::string timestamp_column;
};

/// Labels (or spine) rows with the service's features as of them.
arrow::Result<TrainingSet> BuildTrainingSet(const RepoContext& context,
                                            const definition::Model& model);

/// What a training set is made of, hashed: definitions, stored rows, sources.
arrow::Result<std::string> TrainingSetFingerprint(const RepoContext& context,
                                                  const definition::Model& model);

struct ScoringSet {
  /// Views that were computed for it, which `rows` may read; null: none was.
  std::shared_ptr<const engine::StorageFolder> computed;
  std::shared_ptr<arrow::RecordBatchReader> rows;  ///< join keys, event_timestamp, features
  std::vector<std::string> join_keys;
  int64_t as_of_us = 0;
};

/// The last snapshot's population with its features as stored. A model without a snapshot
/// population scores the distinct keys of its spine as of the spine's last time.
arrow::Result<ScoringSet> BuildScoringSet(const RepoContext& context,
                                          const definition::Model& model);

/// Population and features computed exactly at T, as if T were a snapshot.
arrow::Result<ScoringSet> BuildScoringSetAt(const RepoContext& context,
                                            const definition::Model& model, int64_t as_of_us);

}  // namespace viand::offline
