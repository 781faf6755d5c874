// Where spine rows come from: Parquet, CSV or Arrow IPC (a file, a folder, a pattern of files),
// standard input, or a labels definition.
#pragma once

#include <string>
#include <vector>

#include "src/engine/plan.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

enum class SpineKind { kParquet, kIpcFile, kIpcStream, kCsv };

struct SpineFiles {
  SpineKind kind = SpineKind::kParquet;
  std::vector<std::string> paths;  ///< absolute or addresses; rows are in this order
  bool is_one = true;  ///< the path is that of a file; else of a folder, or a pattern, and folders
                       ///< named key=value are columns
};

/// Finds the files of a path (relative to the current folder): itself, those of a folder or of a
/// pattern (common/data_files.h). The kind is told by the first bytes: Parquet, Arrow IPC (file or
/// stream), else CSV. Fails where there is none, where a file named as Parquet or Arrow is none,
/// and where two are of different kinds.
arrow::Result<SpineFiles> FindSpineFiles(const std::string& path);

/// Opens `text`: "labels:NAME", "-", or a path (relative to the current folder).
arrow::Result<engine::Scan> OpenSpine(const RepoContext& context, const std::string& text);

/// The labels table: the population's keys, event_timestamp, label columns; in order of
/// (event_timestamp, keys), or that of the spine file. The executor holds it.
arrow::Result<std::shared_ptr<const engine::HeldRows>> ComputeLabels(
    const RepoContext& context, const definition::BoundView& labels);

}  // namespace viand::offline
