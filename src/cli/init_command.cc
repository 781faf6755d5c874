#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"

namespace viand::cli {

void AddInitCommand(CLI::App* app, const Command& command) {
  auto* init = app->add_subcommand("init", "Make a new feature repo from a template");
  struct Arguments {
    std::string folder, template_name = "retail";
  };
  auto arguments = std::make_shared<Arguments>();
  init->add_option("folder", arguments->folder, "Folder to make")->required()->type_name("DIR");
  init->add_option("--template", arguments->template_name,
                   "retail: the worked example; minimal: one of each kind")
      ->type_name("NAME")
      ->capture_default_str();
  init->callback([arguments, command] {
    Require(InitRepo(arguments->folder, arguments->template_name));
    if (command.json()) {
      return command.PrintJson(
          {{"folder", arguments->folder}, {"template", arguments->template_name}});
    }
    command.Print(
        fmt::format("made {0} from the template {1}\nnext:\n  python3 {0}/get_data.py   fetch the "
                    "data, or generate it\n"
                    "  viand run -C {0}          from raw data to predictions\n",
                    arguments->folder, arguments->template_name));
  });
}

}  // namespace viand::cli
