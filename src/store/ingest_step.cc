#include "src/store/ingest_step.h"

#include <fmt/format.h>

#include "src/common/grouped_number.h"
#include "src/common/sha256.h"
#include "src/ingest/ingest.h"
#include "src/offline/dataset_manifest.h"
#include "src/offline/repo_layout.h"
#include "src/offline/view_source.h"
#include "src/store/step_clock.h"

namespace viand::store {
namespace {

// Raise it when the readers start to make other rows of the same files.
constexpr std::string_view kIngestVersion = "1";

/// The output column that is the time of the rows: that of the source which reads them.
std::string TimeColumnOf(const RepoSession& session, const definition::Dataset& dataset) {
  const std::string output = offline::AbsolutePath(session.root(), dataset.to);
  for (const definition::Source& source : session.definitions().sources) {
    if (offline::AbsolutePath(session.root(), source.path) == output)
      return offline::TimeColumnOfFiles(source);
  }
  return "";
}

/// The content of a dataset for those who read it later in this command.
void Remember(RepoSession* session, const std::string& output,
              const offline::DatasetManifest& manifest) {
  offline::ContentCache& contents = *session->context().contents;
  std::erase_if(contents, [&output](const auto& entry) { return entry.first.first == output; });
  contents[{output, manifest.timestamp_column}] = manifest.content;
}

std::string DefinitionHash(const definition::Dataset& dataset, const std::string& time_column) {
  Sha256 hash;
  hash.UpdateField(kIngestVersion);
  hash.UpdateField(definition::CanonicalText(dataset));
  hash.UpdateField(time_column);
  return hash.HexDigest();
}

std::string Detail(const offline::DatasetManifest& manifest) {
  std::string text =
      fmt::format("{} of {}", Grouped(manifest.content.rows), Counted(manifest.rows_read, "row"));
  const auto add = [&text](int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", Grouped(count), what);
  };
  add(manifest.rows_filtered, "filtered by where");
  add(manifest.rows_skipped, "skipped as unreadable");
  add(manifest.cells_nulled, "cells nulled as unreadable");
  return text;
}

}  // namespace

arrow::Result<StepReport> IngestDataset(RepoSession* session,
                                        const definition::BoundDataset& dataset, bool force) {
  const StepClock clock;
  const definition::Dataset& definition = *dataset.dataset;
  const std::string output = offline::AbsolutePath(session->root(), definition.to);
  const std::string time_column = TimeColumnOf(*session, definition);
  StepReport report{
      .step = "ingest", .object = definition.name, .status = "fresh", .output = definition.to};

  ARROW_ASSIGN_OR_RAISE(const auto files, ingest::InputFiles(definition, session->root()));
  offline::DatasetManifest manifest;
  manifest.definition_hash = DefinitionHash(definition, time_column);
  manifest.timestamp_column = time_column;
  ARROW_ASSIGN_OR_RAISE(manifest.inputs, offline::HashInputs(session->root(), files));
  ARROW_ASSIGN_OR_RAISE(const auto stored, offline::ReadDatasetManifest(output));
  if (!force && stored && stored->definition_hash == manifest.definition_hash &&
      stored->inputs == manifest.inputs) {
    report.rows = stored->content.rows;
    report.detail = Detail(*stored);
    Remember(session, output, *stored);
    report.seconds = clock.Seconds();
    return report;
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto made,
      ingest::Ingest(dataset,
                     {.root = session->root(),
                      .sort_by = definition.sort_by.empty() ? time_column : definition.sort_by,
                      .progress = session->progress()}));
  manifest.rows_read = made.rows_read;
  manifest.rows_filtered = made.rows_filtered;
  manifest.rows_skipped = made.rows_skipped;
  manifest.cells_nulled = made.cells_nulled;
  ARROW_RETURN_NOT_OK(offline::WriteDatasetManifest(output, &manifest));
  Remember(session, output, manifest);
  report.status = "computed";
  report.rows = made.rows_written;
  report.detail = Detail(manifest);
  report.seconds = clock.Seconds();
  return report;
}

}  // namespace viand::store
