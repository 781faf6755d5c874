#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"

namespace viand::cli {
namespace {

nlohmann::json ToJson(const std::vector<FieldDifference>& fields) {
  nlohmann::json list = nlohmann::json::array();
  for (const FieldDifference& field : fields)
    list.push_back({{"path", field.path}, {"before", field.before}, {"after", field.after}});
  return list;
}

std::string FieldLines(const std::vector<FieldDifference>& fields) {
  std::string text;
  for (const FieldDifference& field : fields)
    text += fmt::format("      {}: {} -> {}\n", field.path,
                        field.before.empty() ? "(none)" : field.before,
                        field.after.empty() ? "(none)" : field.after);
  return text;
}

void History(const Command& command, const std::string& name, const std::string& kind) {
  const auto entries = Require(command.Open()->History(name, kind));
  if (command.json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const HistoryEntry& entry : entries)
      list.push_back({{"kind", entry.kind},
                      {"name", entry.name},
                      {"version", entry.version},
                      {"applied_at", entry.applied_at},
                      {"action", entry.action},
                      {"current", entry.current},
                      {"fields", ToJson(entry.fields)}});
    return command.PrintJson(list);
  }
  std::string kind_shown;
  for (const HistoryEntry& entry : entries) {
    if (entry.kind != kind_shown)
      command.Print(command.terminal().Paint(Color::kBold, entry.kind + " " + entry.name) + "\n");
    kind_shown = entry.kind;
    const std::string action =
        entry.action == "feast" ? "written by another Feast client" : entry.action;
    command.Print(fmt::format("  {:<4}  {}  {}{}\n", entry.version, entry.applied_at, action,
                              entry.current ? "  (now)" : ""));
    command.Print(FieldLines(entry.fields));
  }
}

void Diff(const Command& command, const std::string& before, const std::string& after,
          const std::string& kind) {
  // One name: what has happened since.
  const std::string other = after.empty() ? before.substr(0, before.find('@')) : after;
  const VersionDifference difference = Require(command.Open()->Diff(before, other, kind));
  if (command.json())
    return command.PrintJson({{"kind", difference.kind},
                              {"name", difference.name},
                              {"before", difference.before},
                              {"after", difference.after},
                              {"fields", ToJson(difference.fields)},
                              {"why_breaking", difference.why_breaking}});
  command.Print(fmt::format("{} {}  {} -> {}\n", difference.kind, difference.name,
                            difference.before, difference.after));
  command.Print(difference.fields.empty() ? "  no difference\n" : FieldLines(difference.fields));
  if (!difference.why_breaking.empty())
    command.Print(command.terminal().Paint(
        Color::kRed, fmt::format("  readers of {} would fail: {}\n", difference.before,
                                 difference.why_breaking)));
}

void Rollback(const Command& command, const std::string& name, const RollbackOptions& options) {
  const RollbackReport report = Require(command.Open()->Rollback(name, options));
  if (command.json())
    return command.PrintJson({{"kind", report.kind},
                              {"name", report.name},
                              {"version", report.version},
                              {"file", report.file},
                              {"first_line", report.first_line},
                              {"last_line", report.last_line},
                              {"text", report.text},
                              {"changed", report.changed},
                              {"written", report.changed && !options.dry_run}});
  if (!report.changed)
    return command.Print(fmt::format("{} defines {} {} as {} has it already\n", report.file,
                                     report.kind, report.name, report.version));
  command.Print(report.text);
  const std::string place =
      report.first_line == 0
          ? report.file
          : fmt::format("{}:{}-{}", report.file, report.first_line, report.last_line);
  if (options.dry_run)
    return command.Print(
        fmt::format("this would stand in {}; nothing is written: --dry-run\n", place));
  command.Print(fmt::format(
      "written to {} (comments in it are gone); look at `viand plan`, then `viand apply` makes it "
      "a new version\n",
      place));
}

std::shared_ptr<std::string> AddKind(CLI::App* app) {
  auto kind = std::make_shared<std::string>();
  app->add_option("--kind", *kind,
                  "Where objects of several kinds have the name: feature-view, ...")
      ->type_name("KIND");
  return kind;
}

}  // namespace

void AddHistoryCommands(CLI::App* app, const Command& command) {
  auto* history = app->add_subcommand("history", "What was applied to an object over time");
  auto name = std::make_shared<std::string>();
  history->add_option("name", *name, "Name of an object")->required()->type_name("NAME");
  const auto kind = AddKind(history);
  history->callback([=] { History(command, *name, *kind); });

  auto* diff = app->add_subcommand("diff", "What differs between two versions of an object");
  auto before = std::make_shared<std::string>();
  auto after = std::make_shared<std::string>();
  diff->add_option("before", *before, "NAME@v1")->required()->type_name("NAME@VERSION");
  diff->add_option("after", *after, "NAME@v2 (default: as the registry has it now)")
      ->type_name("NAME@VERSION");
  const auto diff_kind = AddKind(diff);
  diff->callback([=] { Diff(command, *before, *after, *diff_kind); });

  auto* rollback = app->add_subcommand(
      "rollback", "Write an old version of a definition back into the repo's YAML; then apply");
  auto target = std::make_shared<std::string>();
  auto options = std::make_shared<RollbackOptions>();
  rollback->add_option("name", *target, "NAME@v1")->required()->type_name("NAME@VERSION");
  rollback->add_flag("--dry-run", options->dry_run, "Print what would be written, and where");
  const auto rollback_kind = AddKind(rollback);
  rollback->callback([=] {
    options->kind = *rollback_kind;
    Rollback(command, *target, *options);
  });
}

}  // namespace viand::cli
