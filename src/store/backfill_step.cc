#include "src/store/backfill_step.h"

#include <fmt/format.h>

#include "src/common/grouped_number.h"
#include "src/offline/backfill.h"
#include "src/offline/repo_layout.h"
#include "src/store/step_clock.h"

namespace viand::store {

namespace {

StepReport ReportOf(const RepoSession& session, const offline::BackfillReport& made) {
  const std::string& name = made.view->view->name;
  StepReport report{.step = "backfill", .object = name};
  report.status = made.cutoffs_computed == 0             ? "fresh"
                  : made.cutoffs_computed < made.cutoffs ? "partial"
                                                         : "computed";
  report.rows = made.rows;
  report.cutoffs = made.cutoffs;
  report.cutoffs_computed = made.cutoffs_computed;
  report.detail = made.cutoffs_computed == 0
                      ? Counted(made.cutoffs, "cutoff")
                      : fmt::format("{} of {} computed", made.cutoffs_computed,
                                    Counted(made.cutoffs, "cutoff"));
  report.output =
      offline::RelativePath(session.root(), offline::ViewFolder(session.root(), name)) + "/current";
  return report;
}

}  // namespace

arrow::Result<std::vector<StepReport>> BackfillSteps(
    RepoSession* session, const std::vector<const definition::BoundView*>& views) {
  const StepClock clock;
  ARROW_ASSIGN_OR_RAISE(const auto made, offline::BackfillViews(session->context(), views));
  const double seconds = clock.Seconds();
  int64_t computed = 0;
  for (const auto& view : made) computed += view.cutoffs_computed;
  std::vector<StepReport> reports;
  for (const auto& view : made) {
    reports.push_back(ReportOf(*session, view));
    reports.back().seconds =
        seconds * (computed > 0 ? static_cast<double>(view.cutoffs_computed) / computed
                                : 1.0 / static_cast<double>(made.size()));
  }
  return reports;
}

}  // namespace viand::store
