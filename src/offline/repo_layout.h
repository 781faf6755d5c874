// Where a feature repo keeps its files. Everything that viand writes lies below `<repo>/data`.
//
//   data/offline/VIEW/parts/<cutoff>.<fingerprint>.parquet   immutable rows of one cutoff
//   data/offline/VIEW/generations/<n>/                       hard links to the parts of one state,
//   manifest.json data/offline/VIEW/current -> generations/<n>             swapped by rename
//   data/models/MODEL.json, MODEL.manifest.json              XGBoost JSON; what it was built from
//   data/predictions/MODEL.parquet
#pragma once

#include <string>

#include "src/definition/model.h"

namespace viand::offline {

/// Turns a path of a definition into an absolute one; an address of a store stays as it is.
std::string AbsolutePath(const std::string& root, const std::string& path);

/// The reverse, for messages; a path outside the repo stays as it is.
std::string RelativePath(const std::string& root, const std::string& path);

std::string ViewFolder(const std::string& root, const std::string& view);
/// The folder of the stored rows that a view reads: its own, but for a version that is the view as
/// it is now.
std::string RowsFolder(const std::string& root, const definition::FeatureView& view);
std::string ModelPath(const std::string& root, const std::string& model);
std::string ModelManifestPath(const std::string& root, const std::string& model);
std::string PredictionsPath(const std::string& root, const std::string& model);

/// The manifest beside a dataset's output.
std::string DatasetManifestPath(const std::string& output_path);

}  // namespace viand::offline
