#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/cli/command.h"
#include "src/cli/plan_tree.h"
#include "src/common/grouped_number.h"

namespace viand::cli {
namespace {

struct Arguments {
  std::string spine, output, format, like;
  HistoricalOptions options;
  bool analyze = false;    ///< explain only
  bool unordered = false;  ///< a permission that this executor has no use for
};

void AddArguments(CLI::App* app, const std::shared_ptr<Arguments>& arguments) {
  app->add_option("--spine", arguments->spine,
                  "Rows to get features for: Parquet, CSV or Arrow (a file, folder or pattern), - "
                  "or labels:NAME")
      ->type_name("PATH");
  app->add_option("--start", arguments->options.start,
                  "Without a spine: every key that has feature rows from here (default: the end "
                  "less the longest ttl, or 30 days)")
      ->type_name("TIME");
  app->add_option("--end", arguments->options.end,
                  "to here, both inclusive, as of here (default: now)")
      ->type_name("TIME");
  app->add_flag("--every-row", arguments->options.every_row,
                "Without a spine: each feature row of that range, the others as of it");
  app->add_option("--features", arguments->options.features,
                  "view:feature, or view for all of its features")
      ->delimiter(',')
      ->type_name("V:F,...");
  app->add_option("--service", arguments->options.service, "A feature service")->type_name("NAME");
  app->add_option("--timestamp-column", arguments->options.timestamp_column, "Time of each row")
      ->type_name("COLUMN")
      ->capture_default_str();
  app->add_flag("--full-feature-names", arguments->options.full_feature_names,
                "Name columns view__feature");
  app->add_flag("--created-not-after", arguments->options.created_not_after,
                "Only feature rows whose created time is not after the spine row's");
}

void Historical(const Arguments& arguments, const Command& command) {
  if (!arguments.format.empty() && arguments.output != "-") {
    throw CommandFailure{UsageError(
        "--format is for standard output; the format of a file is told by its name",
        fmt::format("write -o - --format {0}, or leave out --format", arguments.format))};
  }
  const bool like = !arguments.like.empty();
  if (like && (!arguments.options.features.empty() || !arguments.options.service.empty()))
    throw CommandFailure{UsageError("--like takes features and service from the manifest",
                                    "leave out --features and --service")};
  if (like && arguments.output == "-")
    throw CommandFailure{UsageError("--like writes a file, to compare it with the manifest's",
                                    "name one: -o again.parquet")};
  const auto store = command.Open();
  const WrittenTable written = Require(
      like ? store->RebuildHistoricalFeatures(arguments.like, arguments.spine, arguments.output)
           : store->WriteHistoricalFeatures(arguments.spine, arguments.options, arguments.output,
                                            arguments.format));
  if (arguments.output == "-") return;
  if (command.json()) {
    nlohmann::json report = {{"output", arguments.output},
                             {"rows", written.rows},
                             {"columns", written.columns},
                             {"manifest", written.manifest}};
    if (like)
      report["same_bytes"] =
          written.same_bytes ? nlohmann::json(*written.same_bytes) : nlohmann::json();
    return command.PrintJson(report);
  }
  command.Print(fmt::format("{}, {} -> {}{}\n", Counted(written.rows, "row"),
                            Counted(written.columns, "column"), arguments.output,
                            !written.same_bytes   ? ""
                            : *written.same_bytes ? ", byte for byte as before"
                                                  : ", in other bytes than before"));
}

}  // namespace

void AddHistoricalCommand(CLI::App* app, const Command& command) {
  auto* historical =
      app->add_subcommand("historical", "Point-in-time features for the rows of a spine");
  historical->alias("get-historical-features");
  auto arguments = std::make_shared<Arguments>();
  AddArguments(historical, arguments);
  historical
      ->add_option(
          "-o,--output", arguments->output,
          ".parquet, .csv or .arrow file, FOLDER/ for Parquet parts, which all cores write at a "
          "time, or - for standard output (CSV has lists as JSON)")
      ->required()
      ->type_name("OUT");
  historical->add_flag("--unordered", arguments->unordered,
                       "Rows may come in any order (they come in the spine's all the same: here it "
                       "costs neither memory nor a second pass)");
  historical
      ->add_option(
          "--format", arguments->format,
          "Format on standard output: csv (default), json (an object a line), arrow (an IPC "
          "stream), parquet")
      ->check(CLI::IsMember({"csv", "json", "arrow", "parquet"}))
      ->type_name("FORMAT");
  historical
      ->add_option("--like", arguments->like,
                   "Make again what a manifest (OUT.manifest.json, or a model's) tells of, or say "
                   "what has changed since")
      ->type_name("MANIFEST");
  historical
      ->add_option(
          "--manifest", arguments->options.manifest,
          "OUT.manifest.json says what the rows were made from: auto (the content of every "
          "file), footers, full (of a large OUT too), none")
      ->check(CLI::IsMember({"auto", "footers", "full", "none"}))
      ->type_name("HOW")
      ->capture_default_str();
  historical->callback([arguments, command] { Historical(*arguments, command); });

  auto* explain =
      app->add_subcommand("explain", "The plan of a historical retrieval, and what it would read");
  auto explained = std::make_shared<Arguments>();
  AddArguments(explain, explained);
  explain->add_flag("--analyze", explained->analyze,
                    "Run it, drop the result, and show what each operator did");
  explain->callback([explained, command] {
    const PlanOperator plan =
        Require(command.Open()->Explain(explained->spine, explained->options, explained->analyze));
    if (command.json()) return command.PrintJson(ToJson(plan));
    command.Print(PlanTreeText(plan, command.terminal()));
  });
}

}  // namespace viand::cli
