#include "src/offline/backfill.h"

#include <arrow/array.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/common/ordered_pipeline.h"
#include "src/common/parquet_output.h"
#include "src/common/sha256.h"
#include "src/offline/repo_layout.h"
#include "src/offline/source_content.h"
#include "src/offline/view_plan.h"
#include "src/offline/view_source.h"

namespace viand::offline {
namespace {

// Parts become durable only when their pass over the source is done; a pass over this much source
// times cutoffs bounds what a kill can lose.
constexpr int64_t kPassBytes = int64_t{4} << 30;

constexpr int kPartWriters = 8;

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

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

/// The rows of one cutoff; the table is ordered by event_timestamp.
std::shared_ptr<arrow::Table> RowsOfCutoff(const arrow::Table& table,
                                           const arrow::TimestampArray& times, int64_t cutoff_us) {
  const int64_t* begin = times.raw_values();
  const auto [first, last] = std::equal_range(begin, begin + times.length(), cutoff_us);
  return table.Slice(first - begin, last - first);
}

/// Computes some cutoffs in one pass over the source and stores each.
arrow::Status ComputePass(const RepoContext& context, const engine::WindowView& view,
                          PartStore* store, const std::vector<Part*>& parts) {
  engine::BackfillPlan plan{view, {}};
  for (const Part* part : parts) plan.cutoffs_us.push_back(part->cutoff_us);
  ARROW_ASSIGN_OR_RAISE(auto computed, engine::Backfill(plan, context.execute));
  ARROW_ASSIGN_OR_RAISE(computed, computed->CombineChunks());
  const auto column = computed->GetColumnByName("event_timestamp");
  const auto times = column->num_chunks() == 0
                         ? std::make_shared<arrow::TimestampArray>(
                               arrow::timestamp(arrow::TimeUnit::MICRO), 0, nullptr)
                         : std::static_pointer_cast<arrow::TimestampArray>(column->chunk(0));
  // Encoded and synced by several threads, which mostly wait for the disk; kept in order of time.
  using Prepared = arrow::Result<std::unique_ptr<ParquetOutput>>;
  size_t next = 0;
  return RunOrdered<Part*, Prepared>(
      {.workers = kPartWriters, .max_in_flight = 2 * kPartWriters},
      [&]() -> arrow::Result<std::optional<Part*>> {
        return next < parts.size() ? std::optional(parts[next++]) : std::nullopt;
      },
      [&](Part* part) {
        return store->Prepare(part, RowsOfCutoff(*computed, *times, part->cutoff_us));
      },
      [&](Prepared prepared) {
        ARROW_RETURN_NOT_OK(CheckCancelled());
        ARROW_RETURN_NOT_OK(prepared);
        ARROW_RETURN_NOT_OK(PartStore::Keep(prepared->get()));
        context.execute.progress->Advance(1);
        return Failpoint("backfill.part");
      });
}

arrow::Status ComputeMissing(const RepoContext& context, const definition::BoundView& view,
                             PartStore* store, const std::vector<Part*>& missing) {
  ARROW_ASSIGN_OR_RAISE(const engine::WindowView plan, PlanComputation(context, view));
  const int64_t cutoffs_a_pass =
      std::max<int64_t>(1, kPassBytes / std::max<int64_t>(1, SourceBytes(plan.source)));
  context.execute.progress->Begin(fmt::format("backfill {}", view.view->name),
                                  static_cast<int64_t>(missing.size()), "cutoffs");
  for (size_t from = 0; from < missing.size(); from += cutoffs_a_pass) {
    const size_t to = std::min<size_t>(missing.size(), from + cutoffs_a_pass);
    ARROW_RETURN_NOT_OK(
        ComputePass(context, plan, store, {missing.begin() + from, missing.begin() + to}));
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

arrow::Result<BackfillReport> BackfillView(const RepoContext& context,
                                           const definition::BoundView& view) {
  if (!view.view->computed || !view.view->snapshots) {
    return MakeError(
        ErrorKind::kUsage,
        fmt::format("feature view \"{}\" has no snapshots to backfill", view.view->name),
        view.view->computed ? "it is computed at each spine row's time, by `viand historical`"
                            : "its rows are ready in its source");
  }
  ARROW_ASSIGN_OR_RAISE(const registry::ResolvedGrid* grid, GridOf(context, *view.view));
  ARROW_ASSIGN_OR_RAISE(const SourceContent content,
                        ContentOfSource(context, view.view->source.name));
  std::vector<Part> parts = DesiredParts(context, view, *grid, content);
  ARROW_ASSIGN_OR_RAISE(auto store, PartStore::Open(ViewFolder(context.root(), view.view->name)));
  std::vector<Part*> missing;
  for (Part& part : parts) {
    ARROW_ASSIGN_OR_RAISE(const bool found, store->Find(&part));
    if (!found) missing.push_back(&part);
  }
  if (!missing.empty()) ARROW_RETURN_NOT_OK(ComputeMissing(context, view, store.get(), missing));
  ARROW_RETURN_NOT_OK(store->Publish(ComputationHash(context, view), parts));
  BackfillReport report{0, static_cast<int64_t>(parts.size()),
                        static_cast<int64_t>(missing.size())};
  for (const Part& part : parts) report.rows += part.rows;
  return report;
}

arrow::Result<std::shared_ptr<arrow::Table>> ComputeAt(const RepoContext& context,
                                                       const definition::BoundView& view,
                                                       int64_t time_us) {
  ARROW_ASSIGN_OR_RAISE(engine::WindowView plan, PlanComputation(context, view));
  return engine::Backfill({std::move(plan), {time_us}}, context.execute);
}

std::vector<const definition::BoundView*> ViewsToBackfill(const RepoContext& context) {
  std::vector<const definition::BoundView*> order;
  std::set<std::string> seen;
  for (const definition::BoundView& view : context.bound->views)
    VisitUpstreamFirst(context, view, &seen, &order);
  return order;
}

}  // namespace viand::offline
