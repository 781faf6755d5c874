#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/report_text.h"

namespace viand::cli {

void AddTrainCommand(CLI::App* app, const Command& command) {
  auto* train = app->add_subcommand("train", "Train a model on labels and features as of them");
  struct Arguments {
    std::string model;
    TrainOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  train->add_option("model", arguments->model, "Model")->required()->type_name("MODEL");
  train
      ->add_option("--export", arguments->options.export_path,
                   "Write the training set to this Parquet file")
      ->type_name("OUT");
  train->add_flag("--force", arguments->options.force, "Train even where nothing changed");
  train->callback([arguments, command] {
    const TrainReport report = Require(command.Open()->Train(arguments->model, arguments->options));
    if (command.json()) return command.PrintJson(ToJson(report));
    command.Print(StepTable({report.step}, command.terminal()) + "\n" +
                  ModelText(report, command.terminal()));
    if (!arguments->options.export_path.empty()) {
      command.Print(fmt::format("\ntraining set -> {}\n", arguments->options.export_path));
    }
  });
}

}  // namespace viand::cli
