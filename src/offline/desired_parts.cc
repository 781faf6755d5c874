#include "src/offline/desired_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "src/common/sha256.h"
#include "src/offline/repo_layout.h"
#include "src/offline/view_plan.h"
#include "src/offline/view_source.h"

namespace viand::offline {
namespace {

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

}  // namespace

std::vector<Part> DesiredParts(const RepoContext& context, const definition::BoundView& view,
                               const registry::ResolvedGrid& grid, const SourceContent& content) {
  const std::string computation = ComputationHash(context, view);
  const Reach reach = ReachOf(view);
  std::vector<Part> parts;
  for (const int64_t cutoff : grid.cutoffs_us) {
    Sha256 hash;
    hash.UpdateField(computation);
    hash.UpdateField(std::to_string(cutoff));
    hash.UpdateField(content.HashOf(SaturatingAdd(cutoff, -reach.before_us),
                                    SaturatingAdd(cutoff, reach.after_us)));
    parts.push_back({cutoff, hash.HexDigest().substr(0, 32), 0});
  }
  return parts;
}

int64_t SourceBytes(const engine::Scan& scan) {
  int64_t bytes = 0;
  std::error_code error;
  for (const std::string& file : scan.files)
    bytes += static_cast<int64_t>(std::filesystem::file_size(file, error));
  return bytes;
}

namespace {

// Where nothing is stored yet a value is taken as this large.
constexpr int64_t kBytesAValue = 8;

struct Stored {
  int64_t parts = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
};

Stored WhatIsStored(const Generation& generation) {
  Stored stored;
  std::error_code error;
  const std::vector<std::string> files = generation.Files();
  for (size_t i = 0; i < files.size(); ++i) {
    ++stored.parts;
    stored.rows += generation.parts[i].rows;
    const auto bytes = std::filesystem::file_size(files[i], error);
    if (!error) stored.bytes += static_cast<int64_t>(bytes);
  }
  return stored;
}

// The share of a source's pieces that the windows of some cutoffs reach.
double ShareInReach(const SourceContent& content, const Reach& reach, int64_t first_us,
                    int64_t last_us) {
  const int64_t from = SaturatingAdd(first_us, -reach.before_us);
  const int64_t to = SaturatingAdd(last_us, reach.after_us);
  const auto inside = std::count_if(
      content.pieces.begin(), content.pieces.end(),
      [&](const TimePiece& piece) { return piece.max_us >= from && piece.min_us < to; });
  return content.pieces.empty()
             ? 0
             : static_cast<double>(inside) / static_cast<double>(content.pieces.size());
}

}  // namespace

arrow::Result<BackfillEstimate> EstimateBackfill(const RepoContext& context,
                                                 const definition::BoundView& view,
                                                 const registry::ResolvedGrid& grid,
                                                 const SourceContent& content,
                                                 bool source_changes) {
  const std::string folder = RowsFolder(context.root(), *view.view);
  BackfillEstimate estimate;
  std::vector<int64_t> missing;
  for (const Part& part : DesiredParts(context, view, grid, content)) {
    ++estimate.cutoffs;
    if (source_changes || !IsStored(folder, part)) missing.push_back(part.cutoff_us);
  }
  estimate.cutoffs_missing = static_cast<int64_t>(missing.size());
  ARROW_ASSIGN_OR_RAISE(const Generation generation, ReadCurrentGeneration(folder));
  const Stored stored = WhatIsStored(generation);
  estimate.has_stored_rows = stored.parts > 0;
  if (missing.empty()) return estimate;
  const double share = ShareInReach(content, ReachOf(view), missing.front(), missing.back());
  estimate.rows_read = static_cast<int64_t>(share * static_cast<double>(content.rows));
  ARROW_ASSIGN_OR_RAISE(const engine::Scan scan, ScanOfSource(context, view));
  estimate.bytes_read = static_cast<int64_t>(share * static_cast<double>(SourceBytes(scan)));
  if (estimate.has_stored_rows) {
    estimate.rows = stored.rows * estimate.cutoffs_missing / stored.parts;
    estimate.bytes = stored.bytes * estimate.cutoffs_missing / stored.parts;
  } else {
    const auto columns = static_cast<int64_t>(view.join_keys.size() + view.features.size()) + 1;
    estimate.rows = estimate.rows_read;
    estimate.bytes = estimate.rows * columns * kBytesAValue;
  }
  return estimate;
}

}  // namespace viand::offline
