#include "src/store/apply_step.h"

#include <fmt/format.h>

#include "src/common/grouped_number.h"
#include "src/offline/grid.h"
#include "src/offline/source_content.h"
#include "src/offline/view_source.h"
#include "src/store/step_clock.h"

namespace viand::store {
namespace {

std::string ActionName(registry::ChangeAction action) {
  switch (action) {
    case registry::ChangeAction::kAdd:
      return "add";
    case registry::ChangeAction::kChange:
      return "change";
    case registry::ChangeAction::kRemove:
      return "remove";
    case registry::ChangeAction::kUnchanged:
      return "unchanged";
    case registry::ChangeAction::kDrift:
      return "drift";
  }
  return "";
}

/// Grids of the data as it is; a source that was not ingested yet has none.
arrow::Result<std::map<std::string, registry::ResolvedGrid>> ResolveGrids(
    const RepoSession& session) {
  std::map<std::string, registry::ResolvedGrid> grids;
  for (const definition::Snapshots& snapshots : session.definitions().snapshots) {
    ARROW_ASSIGN_OR_RAISE(const bool has_data,
                          offline::HasData(session.context(), snapshots.source.name));
    if (!has_data) continue;
    ARROW_ASSIGN_OR_RAISE(const auto content,
                          offline::ContentOfSource(session.context(), snapshots.source.name));
    if (content.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(auto grid,
                          offline::ResolveGrid(snapshots, content.start_us(), content.end_us()));
    grids[snapshots.name] = std::move(grid);
  }
  return grids;
}

arrow::Result<registry::Plan> MakePlanOf(RepoSession* session,
                                         const definition::BoundDefinitions& bound,
                                         std::map<std::string, registry::ResolvedGrid> grids) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, session->ReadRegistry());
  registry::DesiredState desired{&session->config(), &bound, std::move(grids)};
  return registry::MakePlan(desired, *snapshot);
}

arrow::Status Refuse(const registry::Plan& plan) {
  std::string what;
  for (const registry::Change& change : plan.changes) {
    if (change.action != registry::ChangeAction::kRemove && !change.breaking) continue;
    what += fmt::format("\n  {} {} \"{}\"{}", ActionName(change.action),
                        registry::KindName(change.kind), change.name,
                        change.why_breaking.empty() ? "" : ": " + change.why_breaking);
  }
  return MakeError(ErrorKind::kConflict, "the definitions remove or break what is applied:" + what,
                   "look at `viand plan`; if it is meant, add --yes");
}

}  // namespace

arrow::Result<registry::Plan> MakeCurrentPlan(RepoSession* session) {
  ARROW_ASSIGN_OR_RAISE(auto grids, ResolveGrids(*session));
  return MakePlanOf(session, session->bound(), std::move(grids));
}

arrow::Result<registry::Plan> MakeTeardownPlan(RepoSession* session) {
  definition::BoundDefinitions nothing;
  nothing.definitions = std::make_shared<const definition::Definitions>();
  return MakePlanOf(session, nothing, {});
}

arrow::Status CommitPlan(RepoSession* session, const registry::Plan& plan, bool yes) {
  if (!plan.HasEffect()) return arrow::Status::OK();
  if (!yes && (plan.HasRemoval() || plan.HasBreaking())) return Refuse(plan);
  ARROW_RETURN_NOT_OK(session->registry()->Apply(plan));
  return session->ReadRegistry().status();
}

PlanReport ToReport(const RepoSession& session, const registry::Plan& plan) {
  PlanReport report;
  report.project = session.config().project;
  report.registry = session.registry()->Describe();
  report.warnings = plan.warnings;
  report.has_effect = plan.HasEffect();
  report.has_removal = plan.HasRemoval();
  report.has_breaking = plan.HasBreaking();
  for (const registry::Change& change : plan.changes) {
    PlannedChange planned{ActionName(change.action),
                          registry::KindName(change.kind),
                          change.name,
                          {},
                          change.breaking,
                          change.why_breaking,
                          change.dependants};
    for (const registry::FieldChange& field : change.fields) {
      planned.fields.push_back({field.path, field.before, field.after});
    }
    report.changes.push_back(std::move(planned));
  }
  return report;
}

arrow::Result<StepReport> ApplyDefinitions(RepoSession* session, bool yes) {
  const StepClock clock;
  ARROW_ASSIGN_OR_RAISE(const registry::Plan plan, MakeCurrentPlan(session));
  ARROW_RETURN_NOT_OK(CommitPlan(session, plan, yes));
  int64_t changed = 0;
  for (const registry::Change& change : plan.changes) {
    changed += change.action == registry::ChangeAction::kUnchanged ? 0 : 1;
  }
  StepReport report{.step = "apply", .object = session->config().project};
  report.status = plan.HasEffect() ? "computed" : "fresh";
  report.rows = static_cast<int64_t>(plan.changes.size());
  report.detail =
      plan.HasEffect()
          ? fmt::format("{} of {} changed", changed, Counted(plan.changes.size(), "object"))
          : fmt::format("{} as applied", Counted(plan.changes.size(), "object"));
  report.output = session->registry()->Describe();
  report.seconds = clock.Seconds();
  return report;
}

}  // namespace viand::store
