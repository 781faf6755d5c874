#include "src/cli/main_program.h"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

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
  app->add_option("--executor",
                  [options](const CLI::results_t& values) {
                    if (values.size() != 1 || (values[0] != "threads" && values[0] != "processes"))
                      return false;
                    options->open.process_executor = values[0] == "processes";
                    return true;
                  })
      ->type_name("threads|processes")
      ->description(
          "Where plan fragments run; `processes` starts a fresh one for each, to test plans");
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
  if (code == StatusCode::kUsage) return kWrongUse;
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
    std::cout << error.dump() << "\n";
  }
  std::cerr << terminal.PaintError(Color::kRed, "error: ") << status.ToString() << "\n";
}

/// CLI11 says which word it did not expect; people want to know which one they meant.
std::string NearestCommand(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') return DidYouMean(argv[i], names);
  }
  return "";
}

int ReportParseError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  std::cerr << "error: " << error.what() << "\n";
  const bool no_command = app.get_subcommands().empty();
  const std::string nearest = no_command ? NearestCommand(app, argc, argv) : "";
  std::cerr << "  hint: " << (nearest.empty() ? "see `viand --help`" : nearest) << "\n";
  return kWrongUse;
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
  AddBackfillCommand(&app, command);
  AddHistoricalCommand(&app, command);
  AddTrainCommand(&app, command);
  AddPredictCommand(&app, command);
  AddListCommands(&app, command);
  AddFragmentCommand(&app);
  InstallCancellationHandlers();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportParseError(app, error, argc, argv);
  } catch (const CommandFailure& failure) {
    terminal.ClearProgress();
    PrintError(terminal, options, failure.status);
    return ExitCodeOf(failure.status.code());
  }
  return 0;
}

}  // namespace viand::cli
