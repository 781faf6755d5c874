// The rows that a view or labels read: which files, under which names, with which content.
#pragma once

#include <string>

#include "src/engine/plan.h"
#include "src/offline/repo_context.h"
#include "src/offline/source_content.h"

namespace viand::offline {

/// The scan of a view's source (or of the view that it reads), without filter. A source without
/// data is kInput and says what would make it.
arrow::Result<engine::Scan> ScanOfSource(const RepoContext& context,
                                         const definition::BoundView& view);

/// Where a source's files are, absolute: with its s3_endpoint_override.
std::string PathOfSource(const std::string& root, const definition::Source& source);

/// The scan of a source's own files, with the columns that they have: without schema, renames and
/// filter. No files where nothing is there.
arrow::Result<engine::Scan> ScanOfFiles(const std::string& root, const definition::Source& source);

/// Tells whether a source (or the view of that name) has rows to read yet.
arrow::Result<bool> HasData(const RepoContext& context, const std::string& source_name);

/// What that source holds now.
arrow::Result<SourceContent> ContentOfSource(const RepoContext& context,
                                             const std::string& source_name);

/// The column of a source's files that becomes its time.
std::string TimeColumnOfFiles(const definition::Source& source);

/// The dataset that writes a path, or null.
const definition::BoundDataset* DatasetWriting(const RepoContext& context, const std::string& path);

}  // namespace viand::offline
