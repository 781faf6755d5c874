#include "src/offline/view_source.h"

#include <fmt/format.h>

#include "src/common/data_files.h"
#include "src/common/data_location.h"
#include "src/offline/dataset_manifest.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"

namespace viand::offline {
namespace {

arrow::Status NoData(const RepoContext& context, const definition::Source& source) {
  const definition::BoundDataset* dataset = DatasetWriting(context, source.path);
  return ErrorAt(
      source.where, ErrorKind::kInput,
      fmt::format("source \"{}\" has no data: there is nothing at {}", source.name, source.path),
      dataset == nullptr ? "check the path; it is a Parquet file, a folder or a glob"
                         : fmt::format("run `viand ingest {}` first", dataset->dataset->name));
}

arrow::Result<engine::Scan> RequireFiles(const RepoContext& context,
                                         const definition::Source& source) {
  auto scan = ScanOfFiles(context.root(), source);
  if (!scan.ok()) return WithContext(scan.status(), fmt::format("source \"{}\": ", source.name));
  if (scan->files.empty()) return NoData(context, source);
  return scan;
}

arrow::Result<Generation> RequireGeneration(const RepoContext& context, const std::string& view) {
  ARROW_ASSIGN_OR_RAISE(auto generation, ReadCurrentGeneration(ViewFolder(context.root(), view)));
  if (generation.number == 0) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("feature view \"{}\" has no stored rows yet", view),
                     fmt::format("run `viand backfill {}` first", view));
  }
  return generation;
}

arrow::Result<SourceContent> ReadContent(const RepoContext& context,
                                         const definition::Source& source, const std::string& path,
                                         const std::string& time_column) {
  if (DatasetWriting(context, source.path) != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto manifest, ReadDatasetManifest(path));
    // Its pieces are cut by one time column; another source may read the rows by another.
    if (manifest && manifest->timestamp_column == time_column) return std::move(manifest->content);
  }
  ARROW_ASSIGN_OR_RAISE(const engine::Scan scan, RequireFiles(context, source));
  return ContentOfFiles(scan, time_column);
}

}  // namespace

std::string PathOfSource(const std::string& root, const definition::Source& source) {
  return WithEndpoint(AbsolutePath(root, source.path), source.s3_endpoint_override);
}

arrow::Result<engine::Scan> ScanOfFiles(const std::string& root, const definition::Source& source) {
  ARROW_ASSIGN_OR_RAISE(const auto files, ListDataFiles(PathOfSource(root, source)));
  engine::Scan scan;
  scan.files = PathsOf(files);
  scan.hive_partitions = true;
  scan.fill_missing = source.fill_missing_columns;
  scan.described_as = fmt::format("source \"{}\"", source.name);
  return scan;
}

std::string TimeColumnOfFiles(const definition::Source& source) {
  for (const auto& [from, to] : source.field_mapping) {
    if (to == source.timestamp_field) return from;
  }
  return source.timestamp_field;
}

const definition::BoundDataset* DatasetWriting(const RepoContext& context,
                                               const std::string& path) {
  const std::string absolute = AbsolutePath(context.root(), path);
  for (const definition::BoundDataset& dataset : context.bound->datasets) {
    if (AbsolutePath(context.root(), dataset.dataset->to) == absolute) return &dataset;
  }
  return nullptr;
}

arrow::Result<engine::Scan> ScanOfSource(const RepoContext& context,
                                         const definition::BoundView& view) {
  const std::string& name =
      view.view != nullptr ? view.view->source.name : view.labels->source.name;
  const definition::Source* source = FindObject(context.bound->definitions->sources, name);
  if (source == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const Generation generation, RequireGeneration(context, name));
    engine::Scan scan;
    scan.schema = view.source;
    scan.files = generation.Files();
    scan.described_as = fmt::format("feature view \"{}\"", name);
    return scan;
  }
  ARROW_ASSIGN_OR_RAISE(engine::Scan scan, RequireFiles(context, *source));
  scan.schema = view.source;
  scan.renames.assign(source->field_mapping.begin(), source->field_mapping.end());
  return scan;
}

arrow::Result<bool> HasData(const RepoContext& context, const std::string& source_name) {
  const definition::Source* source = FindObject(context.bound->definitions->sources, source_name);
  if (source == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto generation,
                          ReadCurrentGeneration(ViewFolder(context.root(), source_name)));
    return generation.number > 0;
  }
  ARROW_ASSIGN_OR_RAISE(const engine::Scan scan, ScanOfFiles(context.root(), *source));
  return !scan.files.empty();
}

arrow::Result<SourceContent> ContentOfSource(const RepoContext& context,
                                             const std::string& source_name) {
  const definition::Source* source = FindObject(context.bound->definitions->sources, source_name);
  if (source == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const Generation generation, RequireGeneration(context, source_name));
    SourceContent content;
    content.schema = generation.definition_hash;
    for (const Part& part : generation.parts) {
      content.pieces.push_back({part.cutoff_us, part.cutoff_us, part.fingerprint});
      content.rows += part.rows;
    }
    return content;
  }
  const std::string path = PathOfSource(context.root(), *source);
  const std::pair key(path, TimeColumnOfFiles(*source));
  if (const auto cached = context.contents->find(key); cached != context.contents->end())
    return cached->second;
  ARROW_ASSIGN_OR_RAISE(SourceContent content, ReadContent(context, *source, path, key.second));
  return context.contents->emplace(key, std::move(content)).first->second;
}

}  // namespace viand::offline
