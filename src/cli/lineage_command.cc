#include "src/cli/command.h"

namespace viand::cli {

void AddLineageCommand(CLI::App* app, const Command& command) {
  auto* lineage = app->add_subcommand(
      "lineage", "What columns are made from, and what reads them: raw files to predictions");
  struct Arguments {
    std::string name, format;
    bool up = false, down = false;
  };
  auto arguments = std::make_shared<Arguments>();
  lineage
      ->add_option("name", arguments->name,
                   "A column, view:feature, object.column, or an object (default: the whole repo)")
      ->type_name("NAME");
  lineage->add_flag("--up", arguments->up, "Only what it is made from");
  lineage->add_flag("--down", arguments->down, "Only what reads it");
  lineage
      ->add_option("--format", arguments->format,
                   "tree, dot, mermaid, json or openlineage (default: tree; json with --json)")
      ->type_name("FORMAT");
  lineage->callback([arguments, command] {
    LineageOptions options;
    const bool both = arguments->up == arguments->down;
    options.up = both || arguments->up;
    options.down = both || arguments->down;
    options.format = command.json() ? "json" : "tree";
    if (!arguments->format.empty()) options.format = arguments->format;
    command.Print(Require(command.Open()->Lineage(arguments->name, options)));
  });
}

}  // namespace viand::cli
