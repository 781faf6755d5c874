#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"

namespace viand::cli {
namespace {

nlohmann::json TagsOf(const ObjectSummary& object) {
  nlohmann::json tags = nlohmann::json::object();
  for (const auto& [key, value] : object.tags) tags[key] = value;
  return tags;
}

void List(const Command& command, const std::string& kind, const std::vector<std::string>& tags) {
  const auto objects = Require(command.Open()->List(kind, tags));
  if (command.json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const ObjectSummary& object : objects) {
      list.push_back({{"kind", object.kind},
                      {"name", object.name},
                      {"summary", object.summary},
                      {"description", object.description},
                      {"owner", object.owner},
                      {"tags", TagsOf(object)},
                      {"in_repo", object.in_repo}});
    }
    return command.PrintJson(list);
  }
  if (objects.empty() && !tags.empty())
    return command.Print(fmt::format("nothing has the tag {}\n", fmt::join(tags, " and ")));
  if (objects.empty()) {
    return command.Print(kind.empty() ? "nothing is defined: write a .yaml file beside "
                                        "feature_store.yaml\n"
                                      : fmt::format("no {} are defined\n", kind));
  }
  TextTable table({"kind", "name", "", "description"});
  for (const ObjectSummary& object : objects) {
    table.Add({command.terminal().Paint(Color::kDim, object.kind), object.name,
               object.summary + (object.in_repo ? "" : "  (only in the registry)"),
               object.description});
  }
  command.Print(table.Render(command.terminal()));
}

void Search(const Command& command, const std::string& text) {
  const auto hits = Require(command.Open()->Search(text));
  if (command.json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const SearchHit& hit : hits)
      list.push_back({{"kind", hit.kind},
                      {"name", hit.name},
                      {"matched", hit.matched},
                      {"description", hit.description},
                      {"score", hit.score}});
    return command.PrintJson(list);
  }
  if (hits.empty())
    return command.Print(
        fmt::format("nothing has \"{}\" in its name, features, tags, owner or "
                    "description\n",
                    text));
  TextTable table({"kind", "name", "matched", "description"});
  for (const SearchHit& hit : hits)
    table.Add({command.terminal().Paint(Color::kDim, hit.kind), hit.name,
               fmt::format("{}", fmt::join(hit.matched, ", ")), hit.description});
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
      "list",
      "Objects of the repo and its project in the registry: entities, feature-views, models, ...");
  auto kind = std::make_shared<std::string>();
  list->add_option("kind", *kind, "Kind (default: all)")->type_name("KIND");
  auto tags = std::make_shared<std::vector<std::string>>();
  list->add_option("--tag", *tags, "Only objects with this tag; several: with all of them")
      ->type_name("KEY=VALUE");
  list->callback([kind, tags, command] { List(command, *kind, *tags); });

  auto* search = app->add_subcommand(
      "search", "Objects by their names, features, tags, owners and descriptions, nearest first");
  auto text = std::make_shared<std::string>();
  search->add_option("text", *text, "Words that an object must have")
      ->required()
      ->type_name("TEXT");
  search->callback([text, command] { Search(command, *text); });

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
