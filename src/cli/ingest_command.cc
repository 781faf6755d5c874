#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/report_text.h"

namespace viand::cli {

void AddIngestCommand(CLI::App* app, const Command& command) {
  auto* ingest = app->add_subcommand(
      "ingest", "Raw files (xlsx, csv, csv.gz, json lines, parquet) -> typed Parquet");
  auto names = std::make_shared<std::vector<std::string>>();
  ingest->add_option("datasets", *names, "Datasets to make (default: all)")->type_name("DATASET");
  ingest->callback([names, command] {
    const auto steps = Require(command.Open()->Ingest(*names));
    if (command.json()) return command.PrintJson({{"steps", ToJson(steps)}});
    if (steps.empty()) return command.Print("nothing to ingest: no datasets are defined\n");
    command.Print(StepTable(steps, command.terminal()));
  });
}

}  // namespace viand::cli
