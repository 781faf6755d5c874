#include <fmt/format.h>

#include <filesystem>

#include "src/cli/command.h"
#include "src/common/atomic_file.h"

namespace viand::cli {
namespace {

/// Prints a text, or writes it to a file that is not there yet.
void Put(const Command& command, const std::string& text, const std::string& output) {
  if (output.empty() || output == "-") return command.Print(text);
  std::error_code error;
  if (std::filesystem::exists(output, error))
    throw CommandFailure{
        UsageError(fmt::format("{} is there already", output), "name another file, or remove it")};
  const arrow::Status written = WriteFileAtomically(output, text);
  if (!written.ok()) throw CommandFailure{Status(StatusCode::kEnvironment, written.message())};
  command.Print(fmt::format("written to {}\n", output));
}

}  // namespace

void AddExportCommands(CLI::App* app, const Command& command) {
  auto* exported = app->add_subcommand(
      "export", "Definitions as text: the repo's, and what its project in the registry has beside");
  auto format = std::make_shared<std::string>("yaml");
  auto output = std::make_shared<std::string>();
  exported
      ->add_option(
          "--format", *format,
          "yaml, json (types and times, too), or feast-python: a definitions.py for feast apply")
      ->type_name("FORMAT")
      ->capture_default_str();
  exported->add_option("-o,--output", *output, "A new file (default: standard output)")
      ->type_name("FILE");
  exported->callback([=] { Put(command, Require(command.Open()->Export(*format)), *output); });

  auto* imported = app->add_subcommand(
      "import", "YAML of what only the registry has: what Feast has applied there");
  auto names = std::make_shared<std::vector<std::string>>();
  auto file = std::make_shared<std::string>();
  imported->add_option("names", *names, "Objects (default: all)")->type_name("NAME...");
  imported->add_option("-o,--output", *file, "A new file (default: standard output)")
      ->type_name("FILE");
  imported->callback([=] { Put(command, Require(command.Open()->Import(*names)), *file); });
}

}  // namespace viand::cli
