#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/report_text.h"

namespace viand::cli {

void AddBackfillCommand(CLI::App* app, const Command& command) {
  auto* backfill =
      app->add_subcommand("backfill", "Computed views -> offline store, one snapshot per cutoff");
  auto names = std::make_shared<std::vector<std::string>>();
  backfill->add_option("views", *names, "Feature views (default: all with snapshots)")
      ->type_name("VIEW");
  backfill->callback([names, command] {
    const auto steps = Require(command.Open()->Backfill(*names));
    if (command.json()) return command.PrintJson({{"steps", ToJson(steps)}});
    if (steps.empty()) {
      return command.Print("nothing to backfill: no feature view has snapshots\n");
    }
    command.Print(StepTable(steps, command.terminal()));
  });
}

}  // namespace viand::cli
