// viand's C++ API: start here.
//
//   auto store = viand::FeatureStore::Open("examples/retail");
//   if (!store.ok()) { std::cerr << store.status().ToString(); return 1; }
//   auto report = (*store)->Run({});
//
// A FeatureStore is one feature repo: a folder with feature_store.yaml and definitions in *.yaml
// and *.py. Every method reads the definitions as they are on disk at Open. Errors are results,
// never exceptions; tables cross as Arrow C streams (table.h), so a program that links its own
// Arrow, or none, can use viand. Not thread-safe: one call at a time, but for Cancel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "viand/plan_operator.h"
#include "viand/status.h"
#include "viand/table.h"

namespace viand {

/// What one step of work did.
struct StepReport {
  std::string step;     ///< ingest, apply, backfill, train, predict
  std::string object;   ///< "transactions", "customer_rfm_features", ...
  std::string status;   ///< computed, fresh (nothing to do), partial (some cutoffs computed, the
                        ///< others fresh)
  int64_t rows = 0;     ///< of the output
  int64_t cutoffs = 0;  ///< backfill: of the view's grid
  int64_t cutoffs_computed = 0;  ///< backfill: computed by this call
  double seconds = 0;
  std::string detail;  ///< for people
  std::string output;  ///< path of the output, relative to the repo
};

/// A number that training measured: accuracy, f1, roc_auc, log_loss, ... NaN where it is not
/// defined.
using Metric = std::pair<std::string, double>;

struct TrainReport {
  StepReport step;
  std::string model;
  int64_t train_rows = 0;
  int64_t test_rows = 0;
  double train_positive_rate = 0;  ///< NaN for regressions
  double test_positive_rate = 0;
  std::vector<Metric> metrics;     ///< on the test rows
  std::vector<Metric> importance;  ///< feature -> gain, a share of the whole, greatest first
  int64_t true_negatives = 0, false_positives = 0, false_negatives = 0, true_positives = 0;
  std::vector<std::string> warnings;  ///< what a person should know: metrics not defined, XGBoost's
};

struct PredictReport {
  StepReport step;
  std::string model;
  int64_t as_of_us = 0;
  int64_t rows = 0;
  int64_t predicted_positive = 0;
  std::string output;  ///< relative to the repo where it lies in it, else absolute
};

struct RunReport {
  std::vector<StepReport> steps;
  std::vector<TrainReport> models;  ///< also of models that were fresh
  double seconds = 0;
};

struct FieldDifference {
  std::string path, before, after;
};

struct PlannedChange {
  std::string action;  ///< add, change, remove, unchanged, drift
  std::string kind;    ///< entity, feature view, ...
  std::string name;
  std::vector<FieldDifference> fields;
  bool breaking = false;
  std::string why_breaking;
  bool needs_force = false;              ///< breaking, and nothing in the definitions says so
  std::string new_version, old_version;  ///< of a view that gets a new version: "v2", "v1"
  std::vector<std::string> dependants;   ///< what reads it: "feature service x", "model y", ...
  std::vector<std::string> columns;      ///< what is computed from the changed ones: "view:feature"
};

/// What becomes stale by a plan: `viand run` makes it again.
struct PlannedWork {
  std::string kind;  ///< dataset, feature view, model, predictions
  std::string name;
  std::string reason;                    ///< for people
  int64_t cutoffs = 0, cutoffs_all = 0;  ///< of a view's grid: to compute, and all
  /// Estimates of what is written and read; -1: not known before the steps in front of it.
  int64_t rows = -1, bytes = -1, rows_read = -1, bytes_read = -1;
};

struct PlanReport {
  std::string project;
  std::string registry;  ///< "sqlite data/registry.db"
  std::vector<PlannedChange> changes;
  std::vector<PlannedWork> work;
  std::vector<std::string> warnings;
  bool has_effect = false, has_removal = false, has_breaking = false, needs_force = false;
};

/// One moment of an object's history.
struct HistoryEntry {
  std::string kind, name;
  std::string version;     ///< "v1"; a view's as Feast counts them: words and ttl make no new one
  std::string applied_at;  ///< UTC
  std::string action;      ///< add, change, remove; "feast" where another client wrote a version
  bool current = false;    ///< as the registry has it now
  std::vector<FieldDifference> fields;  ///< against the moment before
};

/// What differs between two versions of an object.
struct VersionDifference {
  std::string kind, name;
  std::string before, after;  ///< "v0", "v1", or "now"
  std::vector<FieldDifference> fields;
  std::string why_breaking;  ///< why readers of `before` would fail; empty: they would not
};

struct RollbackOptions {
  std::string kind;      ///< where objects of several kinds have the name
  bool dry_run = false;  ///< say what would be written
};

/// What a rollback wrote into the repo's files, or would write.
struct RollbackReport {
  std::string kind, name, version;
  std::string file;                       ///< relative to the repo
  int64_t first_line = 0, last_line = 0;  ///< that were replaced; 0: it was appended
  std::string text;                       ///< the definition as it stands there now
  bool changed = false;                   ///< false: the file says that already
};

struct ApplyOptions {
  bool yes = false;    ///< remove objects, too
  bool force = false;  ///< break readers of a view without a new version declared, too
  /// Commit exactly what the last Plan() of this store showed; whatever changed in the registry
  /// since is kConflict.
  bool as_planned = false;
  /// Only these, as plans name them: "feature view stats", "entity driver"; empty: all.
  std::vector<std::string> objects;
};

/// One line of `viand list`, and one fact of `viand describe`.
struct ObjectSummary {
  std::string kind, name, summary, description, owner;
  std::vector<std::pair<std::string, std::string>> tags;
  bool in_repo =
      true;  ///< false: only the registry has it (Feast applied it, or the repo did once)
};

/// What `viand search` found.
struct SearchHit {
  std::string kind, name;
  std::vector<std::string> matched;  ///< "name", "owner", "tag team=growth", "feature spent", ...
  std::string description;
  int64_t score = 0;  ///< higher is nearer
};
using ObjectFacts = std::vector<std::pair<std::string, std::string>>;

struct OpenOptions {
  int threads = 0;  ///< 0: all cores
  /// Where plan fragments run: "threads"; "ray", tasks of a Ray cluster; to test plans,
  /// "processes", each in a fresh one, and "spill", threads with all tables between stages on disk.
  /// Empty: "ray" with an address of one, here or in feature_store.yaml, else "threads".
  std::string executor;
  /// The cluster: HOST:PORT, or "auto" for that of this machine; empty: feature_store.yaml's, else
  /// $RAY_ADDRESS, else a Ray of our own on this machine.
  std::string ray_address;
  /// Connects to a driver of Ray in this process (docs/formats/ray.md) and returns the socket, -1
  /// where that fails, -2 where this process is not connected to Ray; called from any thread,
  /// again after a failure. Null, or -2: a process is started.
  std::function<int()> ray_driver;
  int partitions = 0;      ///< 0: by size
  int64_t batch_rows = 0;  ///< 0: default
  /// The memory budget: "512MB", "2GiB", "60%" or bytes; empty: 60 % of the machine's or its
  /// cgroup's. What does not fit goes to disk; results do not depend on it.
  std::string memory;
  std::string temporary_folder;  ///< for what does not fit; empty: $TMPDIR, else the repo's data/
  /// The program that reads the repo's files of Python and speaks with Ray; empty: $VIAND_PYTHON,
  /// else python3.
  std::string python;
  /// Objects besides those of the repo's files, as docs/formats/python.md has them: a program that
  /// makes them gives them here. Each stands in place of a file's of its kind and name; with any, a
  /// plan removes nothing that the registry has.
  std::string definitions;
  /// Called from any thread as work goes on: stage, done, total (0: unknown), unit. Total -1 ends
  /// the stage.
  std::function<void(const std::string&, int64_t, int64_t, const std::string&)> on_progress;
};

struct HistoricalOptions {
  std::vector<std::string> features;  ///< "view:feature", or "view" for all of its features
  std::string service;                ///< features of a service; may stand beside `features`
  std::string timestamp_column = "event_timestamp";
  bool full_feature_names = false;  ///< "view__feature"
  bool created_not_after = false;   ///< only rows created by t
  /// Without a spine: the keys that have feature rows from `start` to `end`, both inclusive, as of
  /// the end; with `every_row` each of these rows. No end: now; no start: the end less the longest
  /// ttl, or 30 days.
  std::string start, end;
  bool every_row = false;
  /// What WriteHistoricalFeatures writes beside a file, `<output>.manifest.json`: "auto" (hashes
  /// the files that it read), "footers" (of each alone), "full" (a large output, too), "none".
  std::string manifest = "auto";
};

struct WrittenTable {
  int64_t rows = 0;
  int64_t columns = 0;
  std::string manifest;  ///< path of what says what it was made from; empty: none
  /// Of a rebuilt one: whether it is the same byte for byte; nothing where that cannot be told, for
  /// another format or another version of viand.
  std::optional<bool> same_bytes;
};

struct LineageOptions {
  bool up = true;               ///< what it is made from
  bool down = true;             ///< what is made from it
  std::string format = "tree";  ///< tree, dot, mermaid, json or openlineage
};

struct RunOptions {
  std::vector<std::string> steps;  ///< empty: all of ingest, apply, backfill, train, predict
  bool yes = false;                ///< apply removals and breaking changes too
};

struct TrainOptions {
  std::string export_path;  ///< Parquet file for the training set, relative to the current folder;
                            ///< empty: none
  bool force = false;       ///< train even where nothing changed
};

struct PredictOptions {
  std::string as_of;   ///< a time; empty: the last snapshot
  std::string output;  ///< relative to the current folder; empty: data/predictions/MODEL.parquet
  bool force = false;
};

class FeatureStore {
 public:
  virtual ~FeatureStore() = default;

  /// Opens the repo at `path` or at its nearest parent with a feature_store.yaml; reads and
  /// validates every definition.
  static Result<std::unique_ptr<FeatureStore>> Open(const std::string& path,
                                                    const OpenOptions& options = {});

  /// Absolute folder of the repo.
  virtual const std::string& root() const = 0;
  virtual const std::string& project() const = 0;

  /// The whole pipeline, computing only what is not fresh.
  virtual Result<RunReport> Run(const RunOptions& options) = 0;

  /// Raw files -> typed Parquet; `datasets` empty: all. Recomputes even what is fresh.
  virtual Result<std::vector<StepReport>> Ingest(const std::vector<std::string>& datasets) = 0;

  /// Compares the definitions with the registry, changing nothing.
  virtual Result<PlanReport> Plan() = 0;

  /// Commits the plan in one transaction. Removals and breaking changes need `yes`; a change that
  /// breaks readers of a view needs `force`, or the definition's `version: vN` to say the next
  /// version.
  virtual Result<PlanReport> Apply(const ApplyOptions& options) = 0;

  /// Reads the registry now, for what others have applied since. Calls read it by themselves once
  /// what they know of it is `cache_ttl_seconds` of feature_store.yaml old (600; 0: never again).
  virtual Status RefreshRegistry() = 0;

  /// Removes every object of this repo from the registry; files stay.
  virtual Result<PlanReport> Teardown() = 0;

  /// What was applied to objects of a name over time; `kind` ("feature-views") only where several
  /// have it.
  virtual Result<std::vector<HistoryEntry>> History(const std::string& name,
                                                    const std::string& kind) = 0;

  /// Compares "NAME@v1" with "NAME@v2"; without a version as the registry has it now.
  virtual Result<VersionDifference> Diff(const std::string& before, const std::string& after,
                                         const std::string& kind) = 0;

  /// Writes the definition of "NAME@v1" back into the repo's files. The registry follows by apply,
  /// which makes it a new version: history is never rewritten.
  virtual Result<RollbackReport> Rollback(const std::string& versioned_name,
                                          const RollbackOptions& options) = 0;

  /// Computed views -> offline store; `views` empty: all with snapshots. Computes the cutoffs that
  /// are not fresh.
  virtual Result<std::vector<StepReport>> Backfill(const std::vector<std::string>& views) = 0;

  /// Point-in-time features for the spine's rows: its columns untouched and in order, then the
  /// features.
  virtual Result<Table> GetHistoricalFeatures(Table spine, const HistoricalOptions& options) = 0;

  /// The same, spine read from Parquet, CSV or Arrow IPC (a file, a folder, a pattern of files),
  /// "-" (standard input), or "labels:NAME".
  virtual Result<Table> GetHistoricalFeatures(const std::string& spine,
                                              const HistoricalOptions& options) = 0;

  /// The same without a spine: for the keys, or rows, in a range of time. Ordered by keys, or by
  /// (time, keys).
  virtual Result<Table> GetHistoricalFeatures(const HistoricalOptions& options) = 0;

  /// Checks the names and options of a retrieval, and that what its features are read from is
  /// there, before there is a spine: whatever would fail for any.
  virtual Status CheckRetrieval(const HistoricalOptions& options) = 0;

  /// The same to a file, as it is computed: memory stays within the budget whatever the number of
  /// rows. `spine` as above, empty: without one. `output` ends in .parquet, .csv, .arrow (.feather,
  /// .ipc), or is "-": standard output, in `format` csv (or empty), json, arrow or parquet. A file
  /// appears whole or not at all.
  virtual Result<WrittenTable> WriteHistoricalFeatures(const std::string& spine,
                                                       const HistoricalOptions& options,
                                                       const std::string& output,
                                                       const std::string& format) = 0;

  /// The same for rows in memory, of which no manifest can tell.
  virtual Result<WrittenTable> WriteHistoricalFeatures(Table spine,
                                                       const HistoricalOptions& options,
                                                       const std::string& output) = 0;

  /// Makes again what a manifest (of WriteHistoricalFeatures, or of a model: its training set)
  /// tells of. Where a definition or an input has changed since, kInput names each and nothing is
  /// written. `spine` stands for that of the manifest where it is not empty.
  virtual Result<WrittenTable> RebuildHistoricalFeatures(const std::string& manifest,
                                                         const std::string& spine,
                                                         const std::string& output) = 0;

  /// The plan of a retrieval (`spine` empty: without one): what each operator is expected to do;
  /// with `analyze` it is run, its result dropped, and told what each did.
  virtual Result<PlanOperator> Explain(const std::string& spine, const HistoricalOptions& options,
                                       bool analyze) = 0;
  virtual Result<PlanOperator> Explain(Table spine, const HistoricalOptions& options,
                                       bool analyze) = 0;

  virtual Result<TrainReport> Train(const std::string& model, const TrainOptions& options) = 0;
  virtual Result<PredictReport> Predict(const std::string& model,
                                        const PredictOptions& options) = 0;

  /// Objects of a kind ("entities", "feature-views", ...; empty: all): those that the repo defines,
  /// then those that only the registry has. `tags` ("team=growth", or "team" for any value): only
  /// objects that have them all.
  virtual Result<std::vector<ObjectSummary>> List(const std::string& kind,
                                                  const std::vector<std::string>& tags = {}) = 0;

  /// Objects whose name, features, tags, owner or description have every word of `text`, nearest
  /// first.
  virtual Result<std::vector<SearchHit>> Search(const std::string& text) = 0;

  /// The repo's objects and those of its project in the registry, as "yaml", "json"
  /// (docs/formats/definitions.md) or "feast-python".
  virtual Result<std::string> Export(const std::string& format) = 0;

  /// YAML of what only the registry has; `names` empty: all of it. What cannot be defined in YAML
  /// is told in comments, or, where it is named, is an error.
  virtual Result<std::string> Import(const std::vector<std::string>& names) = 0;
  virtual Result<ObjectFacts> Describe(const std::string& kind, const std::string& name) = 0;

  /// What columns are made from and what reads them, from the raw files to predictions, as text.
  /// `name`: "column", "view:feature", "object.column", an object (all its columns), or empty: the
  /// whole repo (not as a tree).
  virtual Result<std::string> Lineage(const std::string& name, const LineageOptions& options) = 0;

  /// Reads a Parquet file of the repo, or its first rows, as the CLI shows them after predict: then
  /// no more of the file is in memory than the row groups that have them.
  virtual Result<Table> Read(const std::string& path,
                             std::optional<int64_t> most_rows = std::nullopt) = 0;

  /// Writes a table, one that a call here gave or any other, to `output` by its ending, as
  /// WriteHistoricalFeatures does.
  virtual Result<WrittenTable> Write(Table rows, const std::string& output) = 0;

  /// Asks this store's running call to stop, and whoever reads a stream that it gave: it returns
  /// kCancelled soon, with nothing half-written. From any thread, or a signal handler.
  virtual void Cancel() = 0;

  /// Takes Cancel back, so that calls work again.
  virtual void Resume() = 0;
};

/// Makes a new repo in `folder` from a template ("retail", "minimal"); refuses a folder that has
/// files in it.
Status InitRepo(const std::string& folder, const std::string& template_name);

/// "0.1.0"
std::string Version();

}  // namespace viand
