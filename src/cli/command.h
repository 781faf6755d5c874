// What every command of the CLI shares: global options, opening the repo, printing results and
// errors.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "src/cli/terminal.h"
#include "viand/feature_store.h"

namespace viand::cli {

/// Options that stand before or after the command's name.
struct GlobalOptions {
  std::string repo = ".";
  bool json = false;
  OpenOptions open;
};

/// A failed Status, thrown through CLI11's callbacks to the one place that prints it.
struct CommandFailure {
  Status status;
};

/// Throws the status where it is a failure.
void Require(const Status& status);

/// Takes the value out of a result, or throws its status.
template <typename ValueType>
ValueType Require(Result<ValueType> result) {
  if (!result.ok()) throw CommandFailure{result.status()};
  return std::move(*result);
}

class Command {
 public:
  Command(GlobalOptions* options, Terminal* terminal) : options_(options), terminal_(terminal) {}

  bool json() const { return options_->json; }
  const Terminal& terminal() const { return *terminal_; }

  /// Opens the repo, with a progress bar where somebody looks.
  std::unique_ptr<FeatureStore> Open() const;

  /// Asks where a person can answer, on stderr; false elsewhere, at once. `by_default` is what an
  /// empty line means.
  bool Confirm(const std::string& question, bool by_default) const;

  /// Prints a text for people.
  void Print(const std::string& text) const;

  /// Prints a document for machines.
  void PrintJson(const nlohmann::json& document) const;

 private:
  GlobalOptions* options_;
  Terminal* terminal_;
};

/// Makes a status of wrong use: exit code 2.
Status UsageError(const std::string& message, const std::string& hint = "");

// One a file: <name>_command.cc.
void AddInitCommand(CLI::App* app, const Command& command);
void AddRunCommand(CLI::App* app, const Command& command);
void AddIngestCommand(CLI::App* app, const Command& command);
void AddPlanCommands(CLI::App* app, const Command& command);     // plan, apply, teardown
void AddHistoryCommands(CLI::App* app, const Command& command);  // history, diff, rollback
void AddExportCommands(CLI::App* app, const Command& command);   // export, import
void AddBackfillCommand(CLI::App* app, const Command& command);
void AddHistoricalCommand(CLI::App* app, const Command& command);
void AddTrainCommand(CLI::App* app, const Command& command);
void AddPredictCommand(CLI::App* app, const Command& command);
void AddListCommands(CLI::App* app, const Command& command);  // list, search, describe
void AddLineageCommand(CLI::App* app, const Command& command);
void AddFragmentCommand(CLI::App* app);  // hidden: one fragment in a fresh process

}  // namespace viand::cli
