#include "src/offline/backfill.h"

#include <arrow/array.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/common/ordered_pipeline.h"
#include "src/common/parquet_output.h"
#include "src/engine/executor.h"
#include "src/engine/snapshot_rows.h"
#include "src/engine/storage_folder.h"
#include "src/offline/desired_parts.h"
#include "src/offline/repo_layout.h"
#include "src/offline/source_content.h"
#include "src/offline/view_plan.h"
#include "src/offline/view_source.h"

namespace viand::offline {
namespace {

// Parts become durable only when their pass over the source is done; a pass over this much source
// times cutoffs bounds what a kill can lose.
constexpr int64_t kPassBytes = int64_t{4} << 30;

constexpr int kMostPartWriters = 8;
/// Of the memory budget: what part writers hold, each so many batches, merged, joined and encoded.
constexpr int64_t kWritersShare = 8;
constexpr int64_t kBatchesAWriter = 5;

/// One view on its way to disk.
struct PendingView {
  const definition::BoundView* view = nullptr;
  engine::WindowView plan;  ///< where cutoffs are missing
  std::unique_ptr<PartStore> store;
  std::vector<Part> parts;
  std::vector<Part*> missing;  ///< of `parts`
};

/// A part to write, and the rows that hold it.
struct PartRows {
  const PendingView* view;
  Part* part;
  const engine::SnapshotRows* computed;
};

/// How many parts are written side by side: what they take in memory is little beside the rows that
/// wait.
int PartWriters(const RepoContext& context, const std::vector<PartRows>& parts) {
  int64_t bytes = 1;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == 0 || parts[i].computed != parts[i - 1].computed)
      bytes = std::max(bytes, parts[i].computed->BatchBytes());
  }
  const int64_t budget = context.execute.executor->DriverMemoryBytes();
  if (budget == 0) return kMostPartWriters;
  return static_cast<int>(
      std::clamp<int64_t>(budget / kWritersShare / (bytes * kBatchesAWriter), 1, kMostPartWriters));
}

/// Parts encoded and synced by several threads, which mostly wait for the disk; kept in order of
/// view and time.
arrow::Status StoreParts(const RepoContext& context, const std::vector<PartRows>& parts) {
  using Prepared = arrow::Result<std::unique_ptr<ParquetOutput>>;
  size_t next = 0;
  const int writers = PartWriters(context, parts);
  return RunOrdered<const PartRows*, Prepared>(
      {.workers = writers, .max_in_flight = 2 * writers},
      [&]() -> arrow::Result<std::optional<const PartRows*>> {
        return next < parts.size() ? std::optional(&parts[next++]) : std::nullopt;
      },
      [&](const PartRows* rows) -> Prepared {
        ARROW_ASSIGN_OR_RAISE(const auto of_cutoff, rows->computed->At(rows->part->cutoff_us));
        return rows->view->store->Prepare(rows->part, of_cutoff.get());
      },
      [&](Prepared prepared) {
        ARROW_RETURN_NOT_OK(CheckCancelled());
        ARROW_RETURN_NOT_OK(prepared);
        ARROW_RETURN_NOT_OK(PartStore::Keep(prepared->get()));
        context.execute.progress->Advance(1);
        return Failpoint("backfill.part");
      });
}

/// What views miss in one pass over their source: plans, and the parts that hold the rows.
struct Pass {
  std::vector<engine::BackfillPlan> plans;
  std::vector<PartRows> parts;  ///< in order of plan and cutoff
};

/// Lets fragments store the parts where they run, and takes these over.
arrow::Status StoreByFragments(const RepoContext& context, const Pass& pass,
                               const std::string& storage_path) {
  ARROW_ASSIGN_OR_RAISE(const auto storage, engine::StorageFolder::Make(storage_path));
  std::vector<std::vector<std::string>> paths;
  for (const engine::BackfillPlan& plan : pass.plans) {
    auto& of_view = paths.emplace_back();
    for (const int64_t cutoff_us : plan.cutoffs_us) {
      of_view.push_back(engine::PathIn(storage->path(),
                                       fmt::format("{}-{}.parquet", paths.size() - 1, cutoff_us)));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto files,
                        engine::BackfillToFiles(pass.plans, paths, context.execute));
  size_t next = 0;
  for (const auto& of_view : files) {
    for (const engine::PartFile& file : of_view) {
      ARROW_RETURN_NOT_OK(CheckCancelled());
      const PartRows& rows = pass.parts[next++];
      rows.part->rows = file.rows;
      ARROW_RETURN_NOT_OK(rows.view->store->Take(*rows.part, file.path));
      context.execute.progress->Advance(1);
      ARROW_RETURN_NOT_OK(Failpoint("backfill.part"));
    }
  }
  return arrow::Status::OK();
}

/// Computes some cutoffs of some views in one pass over their source and stores each.
arrow::Status ComputePass(const RepoContext& context, const std::vector<PendingView*>& views,
                          size_t from, size_t to) {
  Pass pass;
  for (PendingView* pending : views) {
    engine::BackfillPlan plan{pending->plan, {}};
    for (size_t i = from; i < std::min(to, pending->missing.size()); ++i) {
      plan.cutoffs_us.push_back(pending->missing[i]->cutoff_us);
      pass.parts.push_back({pending, pending->missing[i], nullptr});
    }
    if (!plan.cutoffs_us.empty()) pass.plans.push_back(std::move(plan));
  }
  const std::string storage_path = context.execute.executor->StoragePath();
  if (!storage_path.empty()) return StoreByFragments(context, pass, storage_path);
  ARROW_ASSIGN_OR_RAISE(const auto rows, engine::BackfillTogether(pass.plans, context.execute));
  size_t view = 0;
  for (size_t i = 0; i < pass.parts.size(); ++i) {
    if (i > 0 && pass.parts[i].view != pass.parts[i - 1].view) ++view;
    pass.parts[i].computed = &rows[view];
  }
  return StoreParts(context, pass.parts);
}

/// Computes what views that share a pass miss.
arrow::Status ComputeMissing(const RepoContext& context, const std::vector<PendingView*>& views) {
  const int64_t bytes = std::max<int64_t>(1, SourceBytes(views[0]->plan.source));
  const size_t cutoffs_a_pass =
      std::max<int64_t>(1, kPassBytes / bytes / static_cast<int64_t>(views.size()));
  size_t most = 0;
  int64_t all = 0;
  std::vector<std::string> names;
  for (const PendingView* pending : views) {
    most = std::max(most, pending->missing.size());
    all += static_cast<int64_t>(pending->missing.size());
    names.push_back(pending->view->view->name);
  }
  context.execute.progress->Begin(fmt::format("backfill {}", fmt::join(names, ", ")), all,
                                  "cutoffs");
  for (size_t from = 0; from < most; from += cutoffs_a_pass) {
    ARROW_RETURN_NOT_OK(ComputePass(context, views, from, from + cutoffs_a_pass));
  }
  context.execute.progress->End();
  return arrow::Status::OK();
}

void VisitUpstreamFirst(const RepoContext& context, const definition::BoundView& view,
                        std::set<std::string>* seen,
                        std::vector<const definition::BoundView*>* order) {
  if (!seen->insert(view.view->name).second) return;
  if (const auto* upstream = context.bound->FindView(view.view->source.name)) {
    VisitUpstreamFirst(context, *upstream, seen, order);
  }
  if (view.view->computed && view.view->snapshots) order->push_back(&view);
}

}  // namespace

namespace {

arrow::Status CheckHasCutoffs(const RepoContext& context, const definition::BoundView& view) {
  if (view.view->computed && view.view->snapshots) return GridOf(context, *view.view).status();
  return MakeError(ErrorKind::kUsage,
                   fmt::format("feature view \"{}\" has no snapshots to backfill", view.view->name),
                   view.view->computed
                       ? "it is computed at each spine row's time, by `viand historical`"
                       : "its rows are ready in its source");
}

/// Finds out what a view misses, and takes its lock.
arrow::Result<PendingView> Look(const RepoContext& context, const definition::BoundView& view,
                                const SourceContent& content) {
  PendingView pending{.view = &view};
  ARROW_ASSIGN_OR_RAISE(const registry::ResolvedGrid* grid, GridOf(context, *view.view));
  pending.parts = DesiredParts(context, view, *grid, content);
  ARROW_ASSIGN_OR_RAISE(pending.store, PartStore::Open(RowsFolder(context.root(), *view.view)));
  for (size_t i = 0; i < pending.parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const bool found, pending.store->Find(&pending.parts[i]));
    if (!found) pending.missing.push_back(&pending.parts[i]);
  }
  if (!pending.missing.empty()) {
    ARROW_ASSIGN_OR_RAISE(pending.plan, PlanComputation(context, view));
  }
  return pending;
}

arrow::Status Publish(const RepoContext& context, const PendingView& pending,
                      std::vector<BackfillReport>* reports) {
  ARROW_RETURN_NOT_OK(
      pending.store->Publish(ComputationHash(context, *pending.view), pending.parts));
  BackfillReport report{.view = pending.view,
                        .cutoffs = static_cast<int64_t>(pending.parts.size()),
                        .cutoffs_computed = static_cast<int64_t>(pending.missing.size())};
  for (const Part& part : pending.parts) report.rows += part.rows;
  reports->push_back(report);
  return arrow::Status::OK();
}

/// Brings views that share a pass up to date, or where that fails, those before the first that
/// fails alone: an expression of one view may fail on a row that only another reads.
arrow::Status ComputeAndPublish(const RepoContext& context, const std::vector<PendingView*>& views,
                                std::vector<BackfillReport>* reports) {
  arrow::Status together = ComputeMissing(context, views);
  const bool of_the_data = !together.ok() && (KindOf(together) == ErrorKind::kInput ||
                                              KindOf(together) == ErrorKind::kDefinition);
  if (!together.ok() && (views.size() == 1 || !of_the_data)) return together;
  for (PendingView* pending : views) {
    if (!together.ok()) ARROW_RETURN_NOT_OK(ComputeMissing(context, {pending}));
    ARROW_RETURN_NOT_OK(Publish(context, *pending, reports));
  }
  return arrow::Status::OK();
}

arrow::Status BackfillOfSource(const RepoContext& context,
                               const std::vector<const definition::BoundView*>& views,
                               std::vector<BackfillReport>* reports) {
  ARROW_ASSIGN_OR_RAISE(const SourceContent content,
                        ContentOfSource(context, views[0]->view->source.name));
  std::vector<PendingView> all;
  for (const auto* view : views) {
    ARROW_ASSIGN_OR_RAISE(all.emplace_back(), Look(context, *view, content));
  }
  std::vector<PendingView*> rest;
  for (PendingView& pending : all) {
    if (!pending.missing.empty()) {
      rest.push_back(&pending);
    } else {
      ARROW_RETURN_NOT_OK(Publish(context, pending, reports));
    }
  }
  while (!rest.empty()) {
    const engine::WindowView& first = rest[0]->plan;
    const auto others = std::stable_partition(
        rest.begin(), rest.end(),
        [&first](const PendingView* other) { return engine::ShareAPass(first, other->plan); });
    ARROW_RETURN_NOT_OK(ComputeAndPublish(context, {rest.begin(), others}, reports));
    rest.erase(rest.begin(), others);
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::vector<BackfillReport>> BackfillViews(
    const RepoContext& context, const std::vector<const definition::BoundView*>& views) {
  for (const auto* view : views) ARROW_RETURN_NOT_OK(CheckHasCutoffs(context, *view));
  std::vector<BackfillReport> reports;
  std::vector<const definition::BoundView*> rest = views;
  while (!rest.empty()) {
    const std::string& source = rest[0]->view->source.name;
    const auto others = std::stable_partition(
        rest.begin(), rest.end(),
        [&source](const auto* view) { return view->view->source.name == source; });
    ARROW_RETURN_NOT_OK(BackfillOfSource(context, {rest.begin(), others}, &reports));
    rest.erase(rest.begin(), others);
  }
  const auto place = [&views](const BackfillReport& report) {
    return std::find(views.begin(), views.end(), report.view);
  };
  std::sort(reports.begin(), reports.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return reports;
}

arrow::Status ComputeAt(const RepoContext& context, const definition::BoundView& view,
                        int64_t time_us, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(engine::WindowView plan, PlanComputation(context, view));
  return engine::BackfillToFiles({{std::move(plan), {time_us}}}, {{path}}, context.execute)
      .status();
}

std::vector<const definition::BoundView*> ViewsToBackfill(const RepoContext& context) {
  std::vector<const definition::BoundView*> order;
  std::set<std::string> seen;
  for (const definition::BoundView& view : context.bound->views)
    VisitUpstreamFirst(context, view, &seen, &order);
  return order;
}

}  // namespace viand::offline
