#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/plan_text.h"

namespace viand::cli {
namespace {

void Show(const Command& command, const PlanReport& report) {
  if (command.json()) return command.PrintJson(ToJson(report));
  command.Print(PlanText(report, command.terminal()));
}

void AddPlan(CLI::App* app, const Command& command) {
  app->add_subcommand(
         "plan", "What apply would change in the registry, who reads it, and what becomes stale")
      ->callback([command] { Show(command, Require(command.Open()->Plan())); });
}

struct ApplyArguments {
  ApplyOptions options{.as_planned = true};
  bool dry_run = false;
};

void Apply(const ApplyArguments& arguments, const Command& command) {
  const auto store = command.Open();
  const PlanReport plan = Require(store->Plan());
  ApplyOptions options = arguments.options;
  const bool stops = plan.needs_force && !options.force;
  const bool asks = !options.yes && !stops && (plan.has_removal || plan.has_breaking);
  if (arguments.dry_run || ((asks || stops) && !command.json())) Show(command, plan);
  if (arguments.dry_run) {
    if (!command.json()) command.Print("nothing is applied: --dry-run\n");
    return;
  }
  if (asks) options.yes = command.Confirm("apply removals and breaking changes?", false);
  const PlanReport report = Require(store->Apply(options));
  if (!asks || command.json()) Show(command, report);
  if (!command.json() && report.has_effect) command.Print("applied\n");
}

void AddApply(CLI::App* app, const Command& command) {
  auto* apply =
      app->add_subcommand("apply", "Commit the definitions to the registry, in one transaction");
  auto arguments = std::make_shared<ApplyArguments>();
  apply->add_flag("--yes", arguments->options.yes,
                  "Do not ask before removals and breaking changes");
  apply->add_flag("--force", arguments->options.force,
                  "Break readers of a view (a feature removed, a type changed) though its "
                  "definition does not say `version: vN`");
  apply->add_flag("--dry-run", arguments->dry_run, "Show what would be applied, as plan does");
  apply->callback([arguments, command] { Apply(*arguments, command); });
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
