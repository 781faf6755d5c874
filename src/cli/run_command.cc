#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/report_text.h"
#include "src/cli/table_output.h"

namespace viand::cli {
namespace {

/// What people want to see at the end: the first scored rows.
void PrintHead(const Command& command, FeatureStore* store, const StepReport& step) {
  if (step.step != "predict") return;
  const std::string head =
      Require(HeadOfTable(Require(store->Read(step.output, kHeadRows)), command.terminal()));
  command.Print(fmt::format("\n{}\n{}", command.terminal().Paint(Color::kBold, step.output), head));
}

}  // namespace

void AddRunCommand(CLI::App* app, const Command& command) {
  auto* run = app->add_subcommand(
      "run", "The whole pipeline, skipping what is fresh: ingest, apply, backfill, train, predict");
  auto options = std::make_shared<RunOptions>();
  run->add_option("steps", options->steps, "Steps to run (default: all)")->type_name("STEP");
  run->add_flag("--yes", options->yes, "Apply removals and breaking changes too");
  run->callback([options, command] {
    const auto store = command.Open();
    const RunReport report = Require(store->Run(*options));
    if (command.json()) {
      nlohmann::json models = nlohmann::json::array();
      for (const TrainReport& model : report.models) models.push_back(ToJson(model));
      return command.PrintJson(
          {{"steps", ToJson(report.steps)}, {"models", models}, {"seconds", report.seconds}});
    }
    command.Print(StepTable(report.steps, command.terminal()));
    for (const TrainReport& model : report.models)
      command.Print("\n" + ModelText(model, command.terminal()));
    for (const StepReport& step : report.steps) PrintHead(command, store.get(), step);
    command.Print(fmt::format("\ndone in {}\n", SecondsText(report.seconds)));
  });
}

}  // namespace viand::cli
