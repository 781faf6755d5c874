#include <fmt/format.h>

#include <filesystem>
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
    std::string text = fmt::format("made {} from the template {}\nnext:\n", arguments->folder,
                                   arguments->template_name);
    if (std::filesystem::exists(arguments->folder + "/get_data.py")) {
      text += fmt::format("  python3 {}/get_data.py   fetch the data, or generate it\n",
                          arguments->folder);
    }
    command.Print(text +
                  fmt::format("  viand run -C {}   from raw data to the end\n", arguments->folder));
  });
}

}  // namespace viand::cli
