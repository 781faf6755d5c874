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
