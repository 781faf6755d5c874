#include "src/cli/main_program.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "src/cli/command.h"
#include "src/common/cancellation.h"
#include "src/common/error.h"

namespace viand::cli {
namespace {

constexpr int kWrongUse = 2;
constexpr int kInterrupted = 130;

void AddGlobalOptions(CLI::App* app, GlobalOptions* options) {
  app->add_option("-C,--repo", options->repo,
                  "Folder of the feature repo (default: here or the nearest parent)")
      ->type_name("DIR");
  app->add_flag("--json", options->json, "Print results as JSON");
  app->add_option("--threads", options->open.threads, "Threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app->add_option("--executor", options->open.executor,
                  "Where plan fragments run: `threads` of this process, or tasks of `ray`; to test "
                  "plans, `processes` starts a fresh one for each, and `spill` keeps all tables "
                  "between them on disk")
      ->type_name("threads|ray|processes|spill")
      ->take_last()
      ->check(CLI::IsMember({"threads", "ray", "processes", "spill"}));
  app->add_option("--ray-address", options->open.ray_address,
                  "Ray cluster to run on: HOST:PORT, or `auto` for that of this machine (default: "
                  "feature_store.yaml's, else $RAY_ADDRESS, else a Ray of our own)")
      ->type_name("HOST:PORT");
  app->add_option("--memory", options->open.memory,
                  "Memory to use: 512MB, 2GiB, 60%, bytes; at least 256MB (default: 60% of the "
                  "machine's or its cgroup's). What does not fit goes to disk meanwhile")
      ->type_name("SIZE");
  app->add_option("--temp-dir", options->open.temporary_folder,
                  "Folder for what does not fit (default: $TMPDIR, else the repo's data/)")
      ->type_name("DIR");
  app->add_option("--partitions", options->open.partitions, "Partitions by key (default: by size)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  app->add_option("--batch-rows", options->open.batch_rows, "Rows a scan batch (default: by size)")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
}

const char* KindOfCode(StatusCode code) {
  switch (code) {
    case StatusCode::kUsage:
    case StatusCode::kNotFound:
      return "usage";
    case StatusCode::kDefinition:
      return "definition";
    case StatusCode::kInput:
      return "input";
    case StatusCode::kConflict:
      return "conflict";
    case StatusCode::kCancelled:
      return "cancelled";
    default:
      return "environment";
  }
}

int ExitCodeOf(StatusCode code) {
  if (code == StatusCode::kOk) return 0;
  if (code == StatusCode::kUsage || code == StatusCode::kNotFound) return kWrongUse;
  return code == StatusCode::kCancelled ? kInterrupted : 1;
}

void PrintError(const Terminal& terminal, const GlobalOptions& options, const Status& status) {
  if (options.json) {
    const nlohmann::json error = {{"error",
                                   {{"kind", KindOfCode(status.code())},
                                    {"message", status.message()},
                                    {"hint", status.hint()},
                                    {"file", status.file()},
                                    {"line", status.line()},
                                    {"column", status.column()}}}};
    // Bytes that are no UTF-8, of the command line or a damaged file, belong in no JSON.
    std::cout << error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  std::cerr << terminal.PaintError(Color::kRed, "error: ") << Printable(status.ToString()) << "\n";
}

/// The word that stands where a command is expected: the first that is neither an option nor the
/// value of one.
std::string CommandWord(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') return argv[i];
    const CLI::Option* option = app.get_option_no_throw(argv[i]);
    if (option != nullptr && option->get_items_expected_min() > 0) ++i;
  }
  return "";
}

/// A word that no command takes: an option mistyped, or one word too many.
Status Unexpected(const CLI::App& app, const CLI::App& command, const std::string& word) {
  const std::string help = fmt::format("see `viand {} --help`", command.get_name());
  if (!word.starts_with('-')) {
    return UsageError(fmt::format("viand {} takes no \"{}\"", command.get_name(), word), help);
  }
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const CLI::App* owner : {&command, &app}) {
    for (const CLI::Option* option : owner->get_options()) {
      for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
    }
  }
  const std::string nearest = DidYouMean(name, names);
  return UsageError(fmt::format("viand {} has no option \"{}\"", command.get_name(), name),
                    nearest.empty() ? help : nearest);
}

/// CLI11 says that a command is missing; people want to know which one they meant.
Status WrongUse(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const auto chosen = app.get_subcommands();
  const std::vector<std::string> extras = app.remaining(/*recurse=*/true);
  const bool unexpected = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (!chosen.empty() && unexpected && !extras.empty()) {
    return Unexpected(app, *chosen[0], extras[0]);
  }
  if (!chosen.empty()) {
    return UsageError(error.what(), fmt::format("see `viand {} --help`", chosen[0]->get_name()));
  }
  const std::string word = CommandWord(app, argc, argv);
  if (error.get_name() != "RequiredError" || word.empty()) {
    const std::string what =
        error.get_name() == "RequiredError" ? "a command is missing" : error.what();
    return UsageError(what, "see `viand --help`");
  }
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  const std::string nearest = DidYouMean(word, names);
  return UsageError(fmt::format("unknown command \"{}\"", word),
                    nearest.empty() ? "see `viand --help`" : nearest);
}

/// A failed write is an error to report with its path; the signals would end the program without a
/// word and leave temporary files.
void IgnoreWriteSignals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

}  // namespace

int RunProgram(int argc, char** argv) {
  CLI::App app(
      "viand: feature store and feature engine. Define a feature once; compute it for training and "
      "scoring.");
  app.set_version_flag("--version", "viand " + Version());
  app.require_subcommand(1);
  app.fallthrough();
  GlobalOptions options;
  Terminal terminal;
  AddGlobalOptions(&app, &options);
  const Command command(&options, &terminal);
  AddInitCommand(&app, command);
  AddRunCommand(&app, command);
  AddIngestCommand(&app, command);
  AddPlanCommands(&app, command);
  AddHistoryCommands(&app, command);
  AddExportCommands(&app, command);
  AddBackfillCommand(&app, command);
  AddHistoricalCommand(&app, command);
  AddTrainCommand(&app, command);
  AddPredictCommand(&app, command);
  AddListCommands(&app, command);
  AddLineageCommand(&app, command);
  AddFragmentCommand(&app);
  InstallCancellationHandlers();
  IgnoreWriteSignals();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    options.json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    PrintError(terminal, options, WrongUse(app, error, argc, argv));
    return kWrongUse;
  } catch (const CommandFailure& failure) {
    terminal.ClearProgress();
    PrintError(terminal, options, failure.status);
    return ExitCodeOf(failure.status.code());
  } catch (const std::exception& error) {  // of a library
    terminal.ClearProgress();
    PrintError(terminal, options, Status(StatusCode::kEnvironment, error.what()));
    return 1;
  }
  return 0;
}

}  // namespace viand::cli
