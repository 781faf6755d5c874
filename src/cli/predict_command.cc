#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/report_text.h"
#include "src/cli/table_output.h"

namespace viand::cli {

void AddPredictCommand(CLI::App* app, const Command& command) {
  auto* predict = app->add_subcommand("predict", "Score the population with a model");
  struct Arguments {
    std::string model;
    PredictOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  predict->add_option("model", arguments->model, "Model")->required()->type_name("MODEL");
  auto* as_of = predict->add_option(
      "--as-of", arguments->options.as_of,
      "Compute population and features exactly at this time (default: the last snapshot)");
  as_of->type_name("TIME");
  predict
      ->add_option("-o,--output", arguments->options.output,
                   "Parquet file (default: data/predictions/MODEL.parquet)")
      ->type_name("OUT");
  predict->add_flag("--force", arguments->options.force, "Predict even where nothing changed");
  predict->callback([arguments, as_of, command] {
    // An empty shell variable must not pass for the default.
    if (as_of->count() > 0 && arguments->options.as_of.empty()) {
      throw CommandFailure{UsageError("--as-of: expected a time, got nothing",
                                      "write it as 2011-03-01 or 2011-03-01 08:26:00")};
    }
    const auto store = command.Open();
    const PredictReport report = Require(store->Predict(arguments->model, arguments->options));
    if (command.json()) return command.PrintJson(ToJson(report));
    command.Print(StepTable({report.step}, command.terminal()) + "\n");
    command.Print(
        Require(HeadOfTable(Require(store->Read(report.output, kHeadRows)), command.terminal())));
  });
}

}  // namespace viand::cli
