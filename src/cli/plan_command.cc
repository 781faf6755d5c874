#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/report_text.h"

namespace viand::cli {
namespace {

void Show(const Command& command, const PlanReport& report) {
  if (command.json()) return command.PrintJson(ToJson(report));
  command.Print(PlanText(report, command.terminal()));
}

void AddPlan(CLI::App* app, const Command& command) {
  app->add_subcommand("plan", "What apply would change in the registry")->callback([command] {
    Show(command, Require(command.Open()->Plan()));
  });
}

void AddApply(CLI::App* app, const Command& command) {
  auto* apply =
      app->add_subcommand("apply", "Commit the definitions to the registry, in one transaction");
  auto yes = std::make_shared<bool>(false);
  apply->add_flag("--yes", *yes, "Do not ask before removals and breaking changes");
  apply->callback([yes, command] {
    const auto store = command.Open();
    if (!*yes) {
      const PlanReport plan = Require(store->Plan());
      if (plan.has_removal || plan.has_breaking) {
        if (!command.json()) command.Print(PlanText(plan, command.terminal()));
        *yes = command.Confirm("apply removals and breaking changes?", /*by_default=*/false);
      }
    }
    const PlanReport report = Require(store->Apply(*yes));
    Show(command, report);
    if (!command.json() && report.has_effect) command.Print("applied\n");
  });
}

void AddTeardown(CLI::App* app, const Command& command) {
  auto* teardown = app->add_subcommand(
      "teardown", "Remove every object of this repo from the registry; files stay");
  auto yes = std::make_shared<bool>(false);
  teardown->add_flag("--yes", *yes, "Do not ask");
  teardown->callback([yes, command] {
    const auto store = command.Open();
    if (!*yes &&
        !command.Confirm(fmt::format("remove all objects of project {}?", store->project()),
                         /*by_default=*/false)) {
      throw CommandFailure{
          UsageError("teardown removes every object of this repo from the registry",
                     "add --yes if it is meant")};
    }
    Show(command, Require(store->Teardown()));
  });
}

}  // namespace

void AddPlanCommands(CLI::App* app, const Command& command) {
  AddPlan(app, command);
  AddApply(app, command);
  AddTeardown(app, command);
}

}  // namespace viand::cli
