// The public FeatureStore: each method is the rooms' function of that name behind the border of
// statuses and tables.
#include "viand/feature_store.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "src/common/cancellation.h"
#include "src/common/grouped_number.h"
#include "src/common/time.h"
#include "src/definition/versioned_name.h"
#include "src/engine/execute.h"
#include "src/engine/explain.h"
#include "src/engine/plan_counters.h"
#include "src/offline/backfill.h"
#include "src/offline/historical.h"
#include "src/offline/parquet_file.h"
#include "src/offline/part_store.h"
#include "src/offline/repo_layout.h"
#include "src/offline/spine.h"
#include "src/offline/view_plan.h"
#include "src/store/apply_step.h"
#include "src/store/arrow_border.h"
#include "src/store/backfill_step.h"
#include "src/store/content_hashes.h"
#include "src/store/definition_export.h"
#include "src/store/ingest_step.h"
#include "src/store/init_repo.h"
#include "src/store/lineage.h"
#include "src/store/listing.h"
#include "src/store/object_history.h"
#include "src/store/plan_report.h"
#include "src/store/prediction_step.h"
#include "src/store/rebuild.h"
#include "src/store/repo_session.h"
#include "src/store/result_folder.h"
#include "src/store/retrieval_manifest.h"
#include "src/store/rollback.h"
#include "src/store/run_pipeline.h"
#include "src/store/standard_output.h"
#include "src/store/table_file.h"
#include "src/store/training_step.h"

namespace viand {
namespace store {
namespace {

using Steps = std::vector<StepReport>;

arrow::Result<Steps> IngestNamed(RepoSession* session, const std::vector<std::string>& names) {
  const auto& datasets = session->definitions().datasets;
  for (const std::string& name : names) {
    if (offline::FindObject(datasets, name) != nullptr) continue;
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown dataset \"{}\"", name),
                     NearestOrAll(name, offline::NamesOf(datasets), "there is: "));
  }
  Steps steps;
  for (const definition::BoundDataset& dataset : session->bound().datasets) {
    const bool wanted = names.empty() ||
                        std::find(names.begin(), names.end(), dataset.dataset->name) != names.end();
    if (!wanted) continue;
    ARROW_ASSIGN_OR_RAISE(auto step, IngestDataset(session, dataset, true));
    steps.push_back(std::move(step));
  }
  return steps;
}

/// "view@2:f" as "view@v2:f"; what is no version is told by those who resolve names.
std::string OneSpelling(const std::string& reference) {
  const size_t colon = reference.find(':');
  const auto name = definition::ParseVersionedName(reference.substr(0, colon));
  if (!name.ok()) return reference;
  return name->Text() + (colon == std::string::npos ? "" : reference.substr(colon));
}

arrow::Result<Steps> BackfillNamed(RepoSession* session, const std::vector<std::string>& names) {
  ARROW_RETURN_NOT_OK(session->RequireGrids());
  std::vector<const definition::BoundView*> views = offline::ViewsToBackfill(session->context());
  if (!names.empty()) {
    ARROW_RETURN_NOT_OK(session->RequireStored({.views = names}));
    views.clear();
    for (const std::string& name : names) {
      ARROW_ASSIGN_OR_RAISE(const auto* view,
                            offline::RequireView(session->context(), OneSpelling(name)));
      if (std::find(views.begin(), views.end(), view) == views.end()) views.push_back(view);
    }
  }
  return BackfillSteps(session, views);
}

/// Stored rows of old versions are made when they are asked for, and then stay as they are until
/// they are backfilled.
arrow::Status BackfillOldVersions(RepoSession* session, const std::vector<std::string>& features,
                                  const std::string& service) {
  std::set<std::string> names;
  for (const std::string& reference : features)
    names.insert(reference.substr(0, reference.find(':')));
  if (const auto* found = offline::FindObject(session->definitions().feature_services, service)) {
    for (const auto& reference : found->features) names.insert(reference.view.name);
  }
  std::vector<const definition::BoundView*> missing;
  for (const std::string& name : names) {
    const definition::BoundView* view = session->bound().FindView(name);
    if (view == nullptr || !view->view->version || !view->view->stored_only ||
        !view->view->snapshots || !view->view->rows_of.empty())
      continue;
    ARROW_ASSIGN_OR_RAISE(const auto generation, offline::ReadCurrentGeneration(offline::RowsFolder(
                                                     session->root(), *view->view)));
    if (generation.definition_hash != offline::ComputationHash(session->context(), *view))
      missing.push_back(view);
  }
  return missing.empty() ? arrow::Status::OK()
                         : offline::BackfillViews(session->context(), missing).status();
}

/// Makes known what only the registry has of the names asked for, and stores the rows of old
/// versions; returns the features in the one spelling.
arrow::Result<std::vector<std::string>> PrepareNames(RepoSession* session,
                                                     const HistoricalOptions& options) {
  std::vector<std::string> features, views;
  for (const std::string& reference : options.features) {
    features.push_back(OneSpelling(reference));
    views.push_back(reference.substr(0, reference.find(':')));
  }
  ARROW_RETURN_NOT_OK(session->RequireStored({.views = views, .services = {options.service}}));
  ARROW_RETURN_NOT_OK(session->RequireGrids());
  ARROW_RETURN_NOT_OK(BackfillOldVersions(session, features, options.service));
  return features;
}

arrow::Result<engine::RetrievalPlan> PlanRetrieval(RepoSession* session,
                                                   std::optional<engine::Scan> spine,
                                                   const HistoricalOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> features, PrepareNames(session, options));
  offline::HistoricalRequest request{.timestamp_column = options.timestamp_column,
                                     .features = features,
                                     .service = options.service,
                                     .full_feature_names = options.full_feature_names,
                                     .created_not_after = options.created_not_after};
  const bool has_range = !options.start.empty() || !options.end.empty() || options.every_row;
  if (spine && has_range) {
    return MakeError(ErrorKind::kUsage, "both a spine and a range of time were given",
                     "--spine gives the rows itself; --start, --end and --every-row stand instead");
  }
  if (!spine && !has_range) {
    return MakeError(ErrorKind::kUsage, "neither a spine nor a range of time was given",
                     "give --spine PATH, or --start T --end T for every key of the views");
  }
  if (spine) {
    request.spine = *std::move(spine);
  } else {
    request.range = {options.start, options.end, options.every_row};
  }
  return offline::PlanHistorical(session->context(), request);
}

/// Keeps the session for as long as rows are read, for they come from its executor.
class SessionReader final : public arrow::RecordBatchReader {
 public:
  SessionReader(std::shared_ptr<RepoSession> session,
                std::shared_ptr<arrow::RecordBatchReader> reader)
      : session_(std::move(session)), reader_(std::move(reader)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return reader_->ReadNext(batch);
  }

 private:
  const std::shared_ptr<RepoSession> session_;
  const std::shared_ptr<arrow::RecordBatchReader> reader_;
};

arrow::Result<Table> Retrieve(const std::shared_ptr<RepoSession>& session,
                              std::optional<engine::Scan> spine, const HistoricalOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto plan, PlanRetrieval(session.get(), std::move(spine), options));
  ARROW_ASSIGN_OR_RAISE(auto rows, engine::RetrieveRows(plan, session->context().execute));
  return ToPublicTable(std::make_shared<SessionReader>(session, std::move(rows)));
}

/// Checks that a retrieval can write to `output`.
arrow::Status CheckResult(const std::string& output) {
  return IsResultFolder(output) ? CheckResultFolder(output) : CheckTableFile(output);
}

arrow::Result<WrittenTable> WriteRetrieval(RepoSession* session, std::optional<engine::Scan> spine,
                                           const HistoricalOptions& options,
                                           const std::string& output, const std::string& format) {
  ARROW_ASSIGN_OR_RAISE(const auto plan, PlanRetrieval(session, std::move(spine), options));
  if (IsResultFolder(output)) {
    ARROW_ASSIGN_OR_RAISE(const ResultSize size,
                          WriteResultFolder(plan, output, session->context().execute));
    return WrittenTable{.rows = size.rows, .columns = size.columns};
  }
  ARROW_ASSIGN_OR_RAISE(const auto rows, engine::RetrieveRows(plan, session->context().execute));
  WrittenTable written{.columns = rows->schema()->num_fields()};
  ARROW_ASSIGN_OR_RAISE(written.rows, output == "-" ? WriteToStandardOutput(rows.get(), format)
                                                    : WriteTableFile(rows.get(), output));
  return written;
}

/// A spine that the caller has in memory.
arrow::Result<engine::Scan> InMemory(Table spine) {
  engine::Scan scan;
  ARROW_ASSIGN_OR_RAISE(scan.table, ToArrowTable(std::move(spine)));
  scan.described_as = "the spine";
  return scan;
}

arrow::Result<WrittenTable> WriteTable(Table rows, const std::string& output) {
  ARROW_RETURN_NOT_OK(CheckTableFile(output));
  ARROW_ASSIGN_OR_RAISE(const auto reader, ToReader(std::move(rows)));
  WrittenTable written{.columns = reader->schema()->num_fields()};
  ARROW_ASSIGN_OR_RAISE(written.rows, WriteTableFile(reader.get(), output));
  return written;
}

arrow::Result<PlanOperator> ExplainRetrieval(RepoSession* session,
                                             std::optional<engine::Scan> spine,
                                             const HistoricalOptions& options, bool analyze) {
  ARROW_ASSIGN_OR_RAISE(const auto plan, PlanRetrieval(session, std::move(spine), options));
  engine::ExecuteOptions execute = session->context().execute;
  ARROW_ASSIGN_OR_RAISE(engine::PlanNode tree, engine::ExplainRetrieval(plan, execute));
  if (!analyze) return ToPlanOperator(tree);
  engine::PlanCounters counters;
  execute.counters = &counters;
  ARROW_RETURN_NOT_OK(engine::RetrieveAndDrop(plan, execute));
  engine::AddMeasures(counters, &tree);
  return ToPlanOperator(tree);
}

class RepoFeatureStore final : public FeatureStore {
 public:
  explicit RepoFeatureStore(std::shared_ptr<RepoSession> session) : session_(std::move(session)) {}

  const std::string& root() const override { return session_->root(); }
  const std::string& project() const override { return session_->config().project; }

  Result<RunReport> Run(const RunOptions& options) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(RunPipeline(session_.get(), options));
  }
  Result<std::vector<StepReport>> Ingest(const std::vector<std::string>& datasets) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(IngestNamed(session_.get(), datasets));
  }
  Result<PlanReport> Plan() override {
    const CancellationScope scope(cancellation_);
    auto current = MakeCurrentPlan(session_.get());
    if (!current.ok()) return ToPublic(current.status());
    planned_ = *std::move(current);
    return planned_->report;
  }
  Result<PlanReport> Apply(const ApplyOptions& options) override {
    const CancellationScope scope(cancellation_);
    if (!options.as_planned || !planned_) {
      auto current = MakeCurrentPlan(session_.get(), options.objects);
      if (!current.ok()) return ToPublic(current.status());
      planned_ = *std::move(current);
    }
    const CurrentPlan current = *std::move(planned_);
    planned_.reset();
    const arrow::Status committed = CommitPlan(session_.get(), current.plan, options);
    if (!committed.ok()) return ToPublic(committed);
    return current.report;
  }
  Status RefreshRegistry() override {
    const CancellationScope scope(cancellation_);
    return ToPublic(session_->ReadRegistry().status());
  }
  Result<PlanReport> Teardown() override {
    const CancellationScope scope(cancellation_);
    const auto current = MakeTeardownPlan(session_.get());
    if (!current.ok()) return ToPublic(current.status());
    const arrow::Status committed =
        CommitPlan(session_.get(), current->plan, {.yes = true, .force = true});
    if (!committed.ok()) return ToPublic(committed);
    return current->report;
  }
  Result<std::vector<HistoryEntry>> History(const std::string& name,
                                            const std::string& kind) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(HistoryOf(session_.get(), name, kind));
  }
  Result<VersionDifference> Diff(const std::string& before, const std::string& after,
                                 const std::string& kind) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(DiffVersions(session_.get(), before, after, kind));
  }
  Result<RollbackReport> Rollback(const std::string& versioned_name,
                                  const RollbackOptions& options) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(RollBack(session_.get(), versioned_name, options));
  }
  Result<std::vector<StepReport>> Backfill(const std::vector<std::string>& views) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(BackfillNamed(session_.get(), views));
  }
  Result<Table> GetHistoricalFeatures(Table spine, const HistoricalOptions& options) override {
    const CancellationScope scope(cancellation_);
    auto scan = InMemory(std::move(spine));
    if (!scan.ok()) return ToPublic(scan.status());
    return ToPublic(Retrieve(session_, *std::move(scan), options));
  }
  Result<Table> GetHistoricalFeatures(const std::string& spine,
                                      const HistoricalOptions& options) override {
    const CancellationScope scope(cancellation_);
    auto scan = OpenSpine(spine);
    if (!scan.ok()) return ToPublic(scan.status());
    return ToPublic(Retrieve(session_, *std::move(scan), options));
  }
  Result<Table> GetHistoricalFeatures(const HistoricalOptions& options) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(Retrieve(session_, std::nullopt, options));
  }
  Result<WrittenTable> WriteHistoricalFeatures(const std::string& spine,
                                               const HistoricalOptions& options,
                                               const std::string& output,
                                               const std::string& format) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(WriteHistorical({spine, options}, output, format));
  }
  Status CheckRetrieval(const HistoricalOptions& options) override {
    const CancellationScope scope(cancellation_);
    HistoricalOptions any = options;
    any.start = any.end = "";
    any.every_row = false;
    return ToPublic(PlanRetrieval(session_.get(), engine::Scan{}, any).status());
  }
  Result<WrittenTable> WriteHistoricalFeatures(Table spine, const HistoricalOptions& options,
                                               const std::string& output) override {
    const CancellationScope scope(cancellation_);
    const arrow::Status writable = CheckResult(output);
    if (!writable.ok()) return ToPublic(writable);
    auto scan = InMemory(std::move(spine));
    if (!scan.ok()) return ToPublic(scan.status());
    return ToPublic(WriteRetrieval(session_.get(), *std::move(scan), options, output, ""));
  }
  Result<WrittenTable> RebuildHistoricalFeatures(const std::string& manifest,
                                                 const std::string& spine,
                                                 const std::string& output) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(Rebuild(manifest, spine, output));
  }
  Result<PlanOperator> Explain(const std::string& spine, const HistoricalOptions& options,
                               bool analyze) override {
    const CancellationScope scope(cancellation_);
    if (spine.empty())
      return ToPublic(ExplainRetrieval(session_.get(), std::nullopt, options, analyze));
    auto scan = OpenSpine(spine);
    if (!scan.ok()) return ToPublic(scan.status());
    return ToPublic(ExplainRetrieval(session_.get(), *std::move(scan), options, analyze));
  }
  Result<PlanOperator> Explain(Table spine, const HistoricalOptions& options,
                               bool analyze) override {
    const CancellationScope scope(cancellation_);
    auto scan = InMemory(std::move(spine));
    if (!scan.ok()) return ToPublic(scan.status());
    return ToPublic(ExplainRetrieval(session_.get(), *std::move(scan), options, analyze));
  }
  Result<TrainReport> Train(const std::string& model, const TrainOptions& options) override {
    const CancellationScope scope(cancellation_);
    const auto found = RequireModel(*session_, model);
    if (!found.ok()) return ToPublic(found.status());
    return ToPublic(TrainModel(session_.get(), **found, options));
  }
  Result<PredictReport> Predict(const std::string& model, const PredictOptions& options) override {
    const CancellationScope scope(cancellation_);
    const auto found = RequireModel(*session_, model);
    if (!found.ok()) return ToPublic(found.status());
    return ToPublic(PredictWithModel(session_.get(), **found, options));
  }
  Result<std::vector<ObjectSummary>> List(const std::string& kind,
                                          const std::vector<std::string>& tags) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(ListObjects(session_.get(), kind, tags));
  }
  Result<std::vector<SearchHit>> Search(const std::string& text) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(SearchObjects(session_.get(), text));
  }
  Result<std::string> Export(const std::string& format) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(ExportDefinitions(session_.get(), format));
  }
  Result<std::string> Import(const std::vector<std::string>& names) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(ImportDefinitions(session_.get(), names));
  }
  Result<ObjectFacts> Describe(const std::string& kind, const std::string& name) override {
    const CancellationScope scope(cancellation_);
    const arrow::Status read = session_->RequireGrids();
    if (!read.ok()) return ToPublic(read);
    return ToPublic(DescribeObject(session_.get(), kind, name));
  }
  Result<std::string> Lineage(const std::string& name, const LineageOptions& options) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(LineageText(*session_, name, options));
  }
  Result<Table> Read(const std::string& path, std::optional<int64_t> most_rows) override {
    const CancellationScope scope(cancellation_);
    const std::string absolute = offline::AbsolutePath(session_->root(), path);
    auto table =
        most_rows ? offline::ReadParquetHead(absolute, *most_rows) : offline::ReadParquet(absolute);
    if (!table.ok()) return ToPublic(table.status());
    return ToPublic(ToPublicTable(*std::move(table)));
  }
  Result<WrittenTable> Write(Table rows, const std::string& output) override {
    const CancellationScope scope(cancellation_);
    return ToPublic(WriteTable(std::move(rows), output));
  }
  void Cancel() override { cancellation_->store(true); }
  void Resume() override { cancellation_->store(false); }

 private:
  arrow::Result<engine::Scan> OpenSpine(const std::string& spine) {
    ARROW_RETURN_NOT_OK(session_->RequireGrids());
    return offline::OpenSpine(session_->context(), spine);
  }

  arrow::Result<WrittenTable> WriteHistorical(RetrievalAsked asked, const std::string& output,
                                              const std::string& format) {
    ARROW_RETURN_NOT_OK(CheckResult(output));
    HistoricalOptions& options = asked.options;
    // A range that ends now is told with its end.
    if (asked.spine.empty() && (!options.start.empty() || options.every_row) && options.end.empty())
      options.end = FormatTimestamp(NowUs());
    const bool described = output != "-" && options.manifest != "none";
    ManifestHashes hashes = ManifestHashes::kContent;
    nlohmann::json description = nlohmann::json::object();
    if (described) {
      ARROW_ASSIGN_OR_RAISE(hashes, ManifestHashesOf(options.manifest));
      ARROW_RETURN_NOT_OK(PrepareNames(session_.get(), options).status());
      ARROW_ASSIGN_OR_RAISE(description, DescribeRetrieval(session_.get(), asked, hashes));
    }
    ContentHashes content(session_->root(), FilesToHash(description));
    std::optional<engine::Scan> scan;
    if (!asked.spine.empty()) {
      ARROW_ASSIGN_OR_RAISE(scan, OpenSpine(asked.spine));
    }
    ARROW_ASSIGN_OR_RAISE(WrittenTable written,
                          WriteRetrieval(session_.get(), std::move(scan), options, output, format));
    if (described) {
      ARROW_ASSIGN_OR_RAISE(const auto sha256_of, content.Finish());
      SetHashes(sha256_of, &description);
      ARROW_ASSIGN_OR_RAISE(written.manifest,
                            WriteManifest(*session_, description, output, written, hashes));
    }
    return written;
  }

  arrow::Result<WrittenTable> Rebuild(const std::string& path, const std::string& spine,
                                      const std::string& output) {
    ARROW_ASSIGN_OR_RAISE(const Manifest manifest, ReadManifest(path));
    ARROW_ASSIGN_OR_RAISE(RetrievalAsked asked, RequestOf(manifest.description));
    asked.options.manifest = WordOf(manifest.hashes);
    if (asked.spine == "-" && spine.empty())
      return MakeError(ErrorKind::kUsage,
                       "the spine came from standard input, which no manifest keeps",
                       "give the same rows again: --spine PATH");
    if (!spine.empty()) {
      asked.spine = spine;
    } else if (!asked.spine.empty() && !asked.spine.starts_with("labels:")) {
      asked.spine = offline::AbsolutePath(session_->root(), asked.spine);
    }
    ARROW_RETURN_NOT_OK(PrepareNames(session_.get(), asked.options).status());
    ARROW_ASSIGN_OR_RAISE(const nlohmann::json now,
                          DescribeAndHash(session_.get(), asked, manifest.hashes));
    ARROW_ASSIGN_OR_RAISE(const auto changes, ChangesSince(manifest.description, now));
    if (!changes.empty())
      return MakeError(
          ErrorKind::kInput,
          fmt::format("since {} was written, {} changed:\n  {}", path,
                      Counted(static_cast<int64_t>(changes.size()), "thing"),
                      fmt::join(changes, "\n  ")),
          "set them back (`viand history`, `viand rollback`; NAME@vN reads an old version), or "
          "retrieve anew without --like");
    ARROW_ASSIGN_OR_RAISE(WrittenTable written, WriteHistorical(asked, output, ""));
    ARROW_ASSIGN_OR_RAISE(written.same_bytes, IsSameOutput(manifest, output));
    // Another version of the tool may write the same rows in other bytes.
    if (written.same_bytes == false && manifest.viand_version != Version())
      written.same_bytes.reset();
    // Whose rows were given anew, they answer for them.
    if (written.same_bytes == false && spine.empty())
      return MakeError(
          ErrorKind::kInput,
          fmt::format("{} was written, and is not what {} tells of, though nothing that "
                      "it names has changed",
                      output, path),
          "what was known by its footer alone may have changed: --manifest auto or full");
    return written;
  }

  const std::shared_ptr<RepoSession> session_;
  const CancellationToken cancellation_ = std::make_shared<std::atomic<bool>>(false);
  std::optional<CurrentPlan> planned_;  ///< what the last Plan() showed
};

}  // namespace
}  // namespace store

Result<std::unique_ptr<FeatureStore>> FeatureStore::Open(const std::string& path,
                                                         const OpenOptions& options) {
  auto session = store::RepoSession::Open(path, options);
  if (!session.ok()) return store::ToPublic(session.status());
  return std::unique_ptr<FeatureStore>(
      std::make_unique<store::RepoFeatureStore>(*std::move(session)));
}

Status InitRepo(const std::string& folder, const std::string& template_name) {
  return store::ToPublic(store::CopyTemplate(folder, template_name));
}

std::string Version() { return VIAND_VERSION; }

}  // namespace viand
