// Where spine rows come from: a Parquet, CSV or Arrow IPC file, standard input, or a labels
// definition.
#pragma once

#include <string>

#include "src/engine/plan.h"
#include "src/offline/repo_context.h"

namespace viand::offline {

enum class SpineKind { kParquet, kIpcFile, kIpcStream, kCsv };

/// Tells the kind of a file by its first bytes: Parquet, Arrow IPC (file or stream), else CSV.
/// Fails where there is no such file, and where a file named as Parquet or Arrow is none.
arrow::Result<SpineKind> KindOfSpine(const std::string& path);

/// Opens `text`: "labels:NAME", "-", or a path (relative to the current folder).
arrow::Result<engine::Scan> OpenSpine(const RepoContext& context, const std::string& text);

/// The labels table: the population's keys, event_timestamp, label columns; in order of
/// (event_timestamp, keys), or that of the spine file.
arrow::Result<std::shared_ptr<arrow::Table>> ComputeLabels(const RepoContext& context,
                                                           const definition::BoundView& labels);

/// Keys and event_timestamp of a snapshot view's stored rows.
arrow::Result<std::shared_ptr<arrow::Table>> PopulationOf(const RepoContext& context,
                                                          const definition::BoundView& view);

}  // namespace viand::offline
