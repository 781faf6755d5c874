#include "src/store/run_pipeline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "src/common/cancellation.h"
#include "src/offline/backfill.h"
#include "src/store/apply_step.h"
#include "src/store/backfill_step.h"
#include "src/store/ingest_step.h"
#include "src/store/prediction_step.h"
#include "src/store/step_clock.h"
#include "src/store/training_step.h"

namespace viand::store {
namespace {

arrow::Status CheckStepNames(const std::vector<std::string>& steps) {
  for (const std::string& step : steps) {
    if (std::find(StepNames().begin(), StepNames().end(), step) != StepNames().end()) continue;
    const std::string hint = DidYouMean(step, StepNames());
    return MakeError(
        ErrorKind::kUsage, fmt::format("unknown step \"{}\"", step),
        hint.empty() ? fmt::format("the steps are {}", fmt::join(StepNames(), ", ")) : hint);
  }
  return arrow::Status::OK();
}

arrow::Status IngestAll(RepoSession* session, RunReport* report) {
  for (size_t i = 0; i < session->bound().datasets.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto step, IngestDataset(session, session->bound().datasets[i], false));
    report->steps.push_back(std::move(step));
  }
  // What could not be typed before the data was there is checked now, before anything else runs.
  return session->bound().complete ? arrow::Status::OK() : session->Rebind();
}

arrow::Status BackfillAll(RepoSession* session, RunReport* report) {
  ARROW_RETURN_NOT_OK(session->RequireGrids());
  ARROW_ASSIGN_OR_RAISE(auto steps,
                        BackfillSteps(session, offline::ViewsToBackfill(session->context())));
  std::move(steps.begin(), steps.end(), std::back_inserter(report->steps));
  return arrow::Status::OK();
}

arrow::Status TrainAll(RepoSession* session, RunReport* report) {
  for (const definition::Model& model : session->definitions().models) {
    ARROW_ASSIGN_OR_RAISE(auto trained, TrainModel(session, model, {}));
    report->steps.push_back(trained.step);
    report->models.push_back(std::move(trained));
  }
  return arrow::Status::OK();
}

arrow::Status PredictAll(RepoSession* session, RunReport* report) {
  for (const definition::Model& model : session->definitions().models) {
    ARROW_ASSIGN_OR_RAISE(const auto predicted, PredictWithModel(session, model, {}));
    report->steps.push_back(predicted.step);
  }
  return arrow::Status::OK();
}

/// All steps of a run work on the same grids, however long they take.
class PinnedGrids {
 public:
  explicit PinnedGrids(RepoSession* session) : session_(session) { session_->PinGrids(true); }
  PinnedGrids(const PinnedGrids&) = delete;
  ~PinnedGrids() { session_->PinGrids(false); }

 private:
  RepoSession* const session_;
};

}  // namespace

const std::vector<std::string>& StepNames() {
  static const std::vector<std::string> names = {"ingest", "apply", "backfill", "train", "predict"};
  return names;
}

arrow::Result<RunReport> RunPipeline(RepoSession* session, const RunOptions& options) {
  ARROW_RETURN_NOT_OK(CheckStepNames(options.steps));
  const PinnedGrids pinned(session);
  const StepClock clock;
  const auto wanted = [&options](std::string_view step) {
    return options.steps.empty() ||
           std::find(options.steps.begin(), options.steps.end(), step) != options.steps.end();
  };
  RunReport report;
  if (wanted("ingest")) ARROW_RETURN_NOT_OK(IngestAll(session, &report));
  ARROW_RETURN_NOT_OK(CheckCancelled());
  if (wanted("apply")) {
    ARROW_ASSIGN_OR_RAISE(auto step, ApplyDefinitions(session, options.yes));
    report.steps.push_back(std::move(step));
  }
  if (wanted("backfill")) ARROW_RETURN_NOT_OK(BackfillAll(session, &report));
  ARROW_RETURN_NOT_OK(CheckCancelled());
  if (wanted("train")) ARROW_RETURN_NOT_OK(TrainAll(session, &report));
  if (wanted("predict")) ARROW_RETURN_NOT_OK(PredictAll(session, &report));
  report.seconds = clock.Seconds();
  return report;
}

}  // namespace viand::store
