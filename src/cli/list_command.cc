#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"

namespace viand::cli {
namespace {

void List(const Command& command, const std::string& kind) {
  const auto objects = Require(command.Open()->List(kind));
  if (command.json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const ObjectSummary& object : objects) {
      list.push_back({{"kind", object.kind},
                      {"name", object.name},
                      {"summary", object.summary},
                      {"description", object.description}});
    }
    return command.PrintJson(list);
  }
  if (objects.empty()) {
    return command.Print(kind.empty() ? "nothing is defined: write a .yaml file beside "
                                        "feature_store.yaml\n"
                                      : fmt::format("no {} are defined\n", kind));
  }
  TextTable table({"kind", "name", "", "description"});
  for (const ObjectSummary& object : objects) {
    table.Add({command.terminal().Paint(Color::kDim, object.kind), object.name, object.summary,
               object.description});
  }
  command.Print(table.Render(command.terminal()));
}

void Describe(const Command& command, const std::string& kind, const std::string& name) {
  const ObjectFacts facts = Require(command.Open()->Describe(kind, name));
  if (command.json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& [fact, value] : facts) list.push_back({{"fact", fact}, {"value", value}});
    return command.PrintJson({{"kind", kind}, {"name", name}, {"facts", list}});
  }
  TextTable table({kind, ""});
  for (const auto& [fact, value] : facts) table.Add({fact, value});
  command.Print(table.Render(command.terminal()));
}

}  // namespace

void AddListCommands(CLI::App* app, const Command& command) {
  auto* list = app->add_subcommand(
      "list", "Objects of the repo: entities, datasets, sources, feature-views, models, ...");
  auto kind = std::make_shared<std::string>();
  list->add_option("kind", *kind, "Kind (default: all)")->type_name("KIND");
  list->callback([kind, command] { List(command, *kind); });

  auto* describe = app->add_subcommand("describe", "One object in full");
  struct Arguments {
    std::string kind, name;
  };
  auto arguments = std::make_shared<Arguments>();
  describe->add_option("kind", arguments->kind, "Kind")->required()->type_name("KIND");
  describe->add_option("name", arguments->name, "Name")->required()->type_name("NAME");
  describe->callback([arguments, command] { Describe(command, arguments->kind, arguments->name); });
}

}  // namespace viand::cli
