#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/store/init_repo.h"

extern char** environ;

namespace viand::cli {
namespace {

namespace fs = std::filesystem;

struct InitArguments {
  std::string folder, template_name = "retail", data;
  bool yes = false;
};

constexpr const char* kFetchScript = "get_data.py";
constexpr int kCommandNotFound = 127;

/// Runs a program to its end, its standard output on our stderr, for ours is for results.
int RunToEnd(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return kCommandNotFound;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

std::string FetchCommand(const InitArguments& arguments) {
  return fmt::format("python3 {}/{}", arguments.folder, kFetchScript);
}

void FetchData(const InitArguments& arguments) {
  std::vector<std::string> words = {"python3", arguments.folder + "/" + kFetchScript};
  if (!arguments.data.empty()) words.insert(words.end(), {"--data", arguments.data});
  const int code = RunToEnd(words);
  if (code == 0) return;
  throw CommandFailure{Status(
      StatusCode::kEnvironment,
      code == kCommandNotFound
          ? fmt::format("made {}, but its data needs python3, and there is none", arguments.folder)
          : fmt::format("made {}, but fetching its data failed", arguments.folder),
      fmt::format("run it again: {}", FetchCommand(arguments)))};
}

/// Refuses what would fail after the folder is made.
void CheckArguments(const InitArguments& arguments, bool fetches) {
  if (arguments.data.empty()) return;
  if (!fetches) {
    throw CommandFailure{UsageError(fmt::format(
        "the template {} takes no --data: its data is in it", arguments.template_name))};
  }
  std::error_code error;
  if (fs::is_regular_file(arguments.data, error)) return;
  throw CommandFailure{UsageError(fmt::format("--data: there is no file {}", arguments.data),
                                  "name an .xlsx of UCI Online Retail, or leave --data out")};
}

/// Fetches the data where the user said so, or says so now.
bool MaybeFetch(const InitArguments& arguments, const Command& command) {
  const bool wanted =
      arguments.yes || !arguments.data.empty() ||
      command.Confirm("fetch its data now (a download, or generated where there is no network)?",
                      /*by_default=*/true);
  if (wanted) FetchData(arguments);
  return wanted;
}

void Init(const InitArguments& arguments, const Command& command) {
  const bool fetches = store::TemplateHas(arguments.template_name, kFetchScript);
  CheckArguments(arguments, fetches);
  Require(InitRepo(arguments.folder, arguments.template_name));
  if (!command.json()) {
    command.Print(
        fmt::format("made {} from the template {}\n", arguments.folder, arguments.template_name));
  }
  const bool fetched = fetches && MaybeFetch(arguments, command);
  if (command.json()) {
    return command.PrintJson({{"folder", arguments.folder},
                              {"template", arguments.template_name},
                              {"data_fetched", fetched}});
  }
  std::string next = "next:\n";
  if (fetches && !fetched) {
    next += fmt::format("  {}   fetch the data, or generate it\n", FetchCommand(arguments));
  }
  command.Print(next +
                fmt::format("  viand run -C {}   from raw data to the end\n", arguments.folder));
}

}  // namespace

void AddInitCommand(CLI::App* app, const Command& command) {
  auto* init = app->add_subcommand("init", "Make a new feature repo from a template");
  auto arguments = std::make_shared<InitArguments>();
  init->add_option("folder", arguments->folder, "Folder to make")->required()->type_name("DIR");
  init->add_option("--template", arguments->template_name,
                   "retail: the worked example; minimal: one of each kind")
      ->type_name("NAME")
      ->capture_default_str();
  init->add_option("--data", arguments->data, "Use this copy of the example's data")
      ->type_name("PATH");
  init->add_flag("--yes", arguments->yes, "Fetch the example's data without asking");
  init->callback([arguments, command] { Init(*arguments, command); });
}

}  // namespace viand::cli
