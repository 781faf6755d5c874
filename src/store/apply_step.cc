#include "src/store/apply_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "src/common/grouped_number.h"
#include "src/definition/lineage.h"
#include "src/offline/grid.h"
#include "src/offline/repo_layout.h"
#include "src/offline/source_content.h"
#include "src/offline/view_source.h"
#include "src/registry/feast_messages.h"
#include "src/store/plan_work.h"
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

/// Where objects were given besides those of the files, these are not all that is wanted.
arrow::Result<registry::Plan> MakePlanOfRepo(RepoSession* session,
                                             std::map<std::string, registry::ResolvedGrid> grids) {
  ARROW_ASSIGN_OR_RAISE(registry::Plan plan,
                        MakePlanOf(session, session->bound(), std::move(grids)));
  if (session->adds_definitions()) {
    std::erase_if(plan.changes, [](const registry::Change& change) {
      return change.action == registry::ChangeAction::kRemove;
    });
  }
  return plan;
}

/// Leaves the changes of the named objects, and of the project that they are in. The further join
/// keys of an entity are objects of their own.
void Restrict(const std::vector<std::string>& objects, registry::Plan* plan) {
  std::erase_if(plan->changes, [&](const registry::Change& change) {
    const std::string name = registry::KindName(change.kind) + " " + change.name;
    return change.kind != registry::ObjectKind::kProject &&
           std::none_of(objects.begin(), objects.end(), [&](const std::string& object) {
             const bool part =
                 change.kind == registry::ObjectKind::kEntity &&
                 (change.name == registry::kDummyEntity || name.starts_with(object + "__"));
             return name == object || part;
           });
  });
}

std::string Listed(const registry::Plan& plan, bool (*wanted)(const registry::Change&)) {
  std::string what;
  for (const registry::Change& change : plan.changes) {
    if (!wanted(change)) continue;
    what += fmt::format("\n  {} {} \"{}\"{}", ActionName(change.action),
                        registry::KindName(change.kind), change.name,
                        change.why_breaking.empty() ? "" : ": " + change.why_breaking);
  }
  return what;
}

bool RemovesOrBreaks(const registry::Change& change) {
  return change.action == registry::ChangeAction::kRemove || change.breaking;
}

std::string ForceHint(const registry::Plan& plan) {
  for (const registry::Change& change : plan.changes) {
    if (!change.needs_force || !change.new_version) continue;
    return fmt::format(
        "write `version: v{}` in the definition of \"{}\" to say that it is another version "
        "(readers "
        "of the one before write {}@v{}), or add --force",
        *change.new_version, change.name, change.name, *change.old_version);
  }
  return "if it is meant, add --force";
}

/// The predictions on disk of the models among some readers.
std::vector<std::string> SavedPredictions(const RepoSession& session,
                                          const std::vector<std::string>& readers) {
  std::vector<std::string> saved;
  for (const definition::Model& model : session.definitions().models) {
    const std::string path = offline::PredictionsPath(session.root(), model.name);
    if (std::find(readers.begin(), readers.end(), "model " + model.name) == readers.end()) continue;
    if (std::filesystem::exists(path))
      saved.push_back("predictions " + offline::RelativePath(session.root(), path));
  }
  return saved;
}

/// The columns of other objects that are computed from those that a change is about.
std::vector<std::string> ColumnsReached(const definition::LineageGraph& graph,
                                        const definition::LineageNeighbours& neighbours,
                                        const registry::Change& change) {
  std::set<std::string> changed;
  bool all = false;
  for (const registry::FieldChange& field : change.fields) {
    if (!field.path.starts_with("features.")) {
      all = true;
    } else {
      changed.insert(field.path.substr(9, field.path.find('.', 9) - 9));
    }
  }
  std::vector<size_t> roots;
  for (const size_t node : neighbours.NodesOf(change.name))
    if (all || changed.contains(graph.nodes[node].column)) roots.push_back(node);
  std::vector<std::string> columns;
  for (const size_t reached : neighbours.Reached(roots, false)) {
    const definition::LineageNode& node = graph.nodes[reached];
    if (!node.column.empty() && node.object != change.name) columns.push_back(node.Id());
  }
  return columns;
}

bool IsColumnar(registry::ObjectKind kind) {
  return kind == registry::ObjectKind::kFeatureView || kind == registry::ObjectKind::kDataset;
}

/// The names of what changes, and of all that reads it.
std::set<std::string> ChangedAndReaders(const registry::Plan& plan) {
  std::set<std::string> names;
  for (const registry::Change& change : plan.changes) {
    if (change.action != registry::ChangeAction::kChange) continue;
    names.insert(change.name);
    // "feature service purchase_propensity_v1"; names have no blank.
    for (const std::string& reader : change.dependants)
      names.insert(reader.substr(reader.rfind(' ') + 1));
  }
  return names;
}

PlannedChange ToPlanned(const RepoSession& session, const registry::Change& change) {
  PlannedChange planned;
  planned.action = ActionName(change.action);
  planned.kind = registry::KindName(change.kind);
  planned.name = change.name;
  for (const registry::FieldChange& field : change.fields)
    planned.fields.push_back({field.path, field.before, field.after});
  planned.breaking = change.breaking;
  planned.why_breaking = change.why_breaking;
  planned.needs_force = change.needs_force;
  if (change.new_version) {
    planned.new_version = fmt::format("v{}", *change.new_version);
    planned.old_version = fmt::format("v{}", *change.old_version);
  }
  planned.dependants = change.dependants;
  for (std::string& saved : SavedPredictions(session, change.dependants))
    planned.dependants.push_back(std::move(saved));
  return planned;
}

PlanReport ToReport(const RepoSession& session, const registry::Plan& plan) {
  PlanReport report;
  report.project = session.config().project;
  report.registry = session.registry()->Describe();
  report.warnings = plan.warnings;
  report.has_effect = plan.HasEffect();
  report.has_removal = plan.HasRemoval();
  report.has_breaking = plan.HasBreaking();
  report.needs_force = plan.NeedsForce();
  std::optional<definition::LineageGraph> lineage;
  std::optional<definition::LineageNeighbours> neighbours;
  for (const registry::Change& change : plan.changes) {
    report.changes.push_back(ToPlanned(session, change));
    if (change.action != registry::ChangeAction::kChange || !IsColumnar(change.kind)) continue;
    if (change.dependants.empty()) continue;  // lineage of thousands of views takes a while
    if (!lineage) {
      const std::set<std::string> objects = ChangedAndReaders(plan);
      lineage = definition::BuildLineage(session.bound(), &objects);
      neighbours.emplace(*lineage);
    }
    report.changes.back().columns = ColumnsReached(*lineage, *neighbours, change);
  }
  return report;
}

}  // namespace

arrow::Result<CurrentPlan> MakeCurrentPlan(RepoSession* session,
                                           const std::vector<std::string>& objects) {
  ARROW_ASSIGN_OR_RAISE(const auto grids, ResolveGrids(*session));
  CurrentPlan current;
  ARROW_ASSIGN_OR_RAISE(current.plan, MakePlanOfRepo(session, grids));
  if (!objects.empty()) Restrict(objects, &current.plan);
  current.report = ToReport(*session, current.plan);
  ARROW_ASSIGN_OR_RAISE(current.report.work, WorkOf(*session, current.plan, grids));
  return current;
}

arrow::Result<CurrentPlan> MakeTeardownPlan(RepoSession* session) {
  definition::BoundDefinitions nothing;
  nothing.definitions = std::make_shared<const definition::Definitions>();
  CurrentPlan current;
  ARROW_ASSIGN_OR_RAISE(current.plan, MakePlanOf(session, nothing, {}));
  current.report = ToReport(*session, current.plan);
  return current;
}

arrow::Status CommitPlan(RepoSession* session, const registry::Plan& plan,
                         const ApplyOptions& options) {
  if (!plan.HasEffect()) return arrow::Status::OK();
  if (!options.force && plan.NeedsForce()) {
    return MakeError(ErrorKind::kConflict,
                     "the definitions break readers of what is applied:" +
                         Listed(plan, [](const auto& change) { return change.needs_force; }),
                     ForceHint(plan));
  }
  if (!options.yes && (plan.HasRemoval() || plan.HasBreaking())) {
    return MakeError(
        ErrorKind::kUsage,
        "the definitions remove or break what is applied:" + Listed(plan, RemovesOrBreaks),
        "look at `viand plan`; if it is meant, add --yes");
  }
  ARROW_RETURN_NOT_OK(session->registry()->Apply(plan));
  session->ForgetGrids();
  return arrow::Status::OK();
}

arrow::Result<StepReport> ApplyDefinitions(RepoSession* session, bool yes) {
  const StepClock clock;
  ARROW_ASSIGN_OR_RAISE(const auto grids, ResolveGrids(*session));
  ARROW_ASSIGN_OR_RAISE(const registry::Plan plan, MakePlanOfRepo(session, grids));
  if (!yes && (plan.HasRemoval() || plan.HasBreaking())) {
    return MakeError(
        ErrorKind::kConflict,
        "the definitions remove or break what is applied:" + Listed(plan, RemovesOrBreaks),
        "look at `viand plan`; if it is meant, add --yes");
  }
  ARROW_RETURN_NOT_OK(CommitPlan(session, plan, {.yes = true, .force = true}));
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
