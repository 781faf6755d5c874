#include "src/store/backfill_step.h"

#include <fmt/format.h>

#include "src/common/grouped_number.h"
#include "src/offline/backfill.h"
#include "src/offline/repo_layout.h"
#include "src/store/step_clock.h"

namespace viand::store {

arrow::Result<StepReport> BackfillStep(RepoSession* session, const definition::BoundView& view) {
  const StepClock clock;
  const std::string& name = view.view->name;
  ARROW_ASSIGN_OR_RAISE(const auto made, offline::BackfillView(session->context(), view));
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
      offline::RelativePath(session->root(), offline::ViewFolder(session->root(), name)) +
      "/current";
  report.seconds = clock.Seconds();
  return report;
}

}  // namespace viand::store
