#include "src/cli/plan_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "src/cli/report_text.h"
#include "src/common/grouped_number.h"

namespace viand::cli {
namespace {

using nlohmann::json;

// More columns than this are a number.
constexpr size_t kMostColumnsShown = 6;

Color ColorOf(const std::string& action) {
  if (action == "add") return Color::kGreen;
  if (action == "remove") return Color::kRed;
  return Color::kYellow;
}

char SignOf(const std::string& action) {
  if (action == "add") return '+';
  if (action == "remove") return '-';
  return action == "drift" ? '!' : '~';
}

std::string Shown(const std::string& value) { return value.empty() ? "(none)" : value; }

std::string ColumnList(const std::vector<std::string>& columns) {
  if (columns.size() <= kMostColumnsShown) return fmt::format("{}", fmt::join(columns, ", "));
  const auto end = columns.begin() + kMostColumnsShown;
  return fmt::format("{} and {} more", fmt::join(columns.begin(), end, ", "),
                     columns.size() - kMostColumnsShown);
}

std::string ConsequenceLines(const PlannedChange& change, const Terminal& terminal) {
  std::string text;
  const auto line = [&](const std::string& what) {
    text += terminal.Paint(Color::kDim, "      " + what) + "\n";
  };
  if (change.action == "drift")
    line("changed in the registry by somebody else since the last apply");
  if (!change.new_version.empty())
    line(fmt::format("becomes {}; the one before stays {}@{}", change.new_version, change.name,
                     change.old_version));
  if (change.action != "add" && !change.dependants.empty())
    line(fmt::format("read by {}", fmt::join(change.dependants, ", ")));
  if (!change.columns.empty()) line("reaches " + ColumnList(change.columns));
  return text;
}

std::string ChangeText(const PlannedChange& change, const Terminal& terminal) {
  std::string text =
      terminal.Paint(ColorOf(change.action),
                     fmt::format("  {} {} {}", SignOf(change.action), change.kind, change.name));
  if (change.breaking) text += terminal.Paint(Color::kRed, "  breaking: " + change.why_breaking);
  text += "\n";
  for (const FieldDifference& field : change.fields) {
    if (change.action == "add") continue;
    text +=
        fmt::format("      {}: {} -> {}\n", field.path, Shown(field.before), Shown(field.after));
  }
  return text + ConsequenceLines(change, terminal);
}

std::string Amount(int64_t rows, int64_t bytes) {
  std::string text;
  if (rows >= 0) text = "~" + Counted(rows, "row");
  if (bytes >= 0) text += (text.empty() ? "" : ", ") + BytesText(static_cast<double>(bytes));
  return text;
}

std::string WorkTable(const std::vector<PlannedWork>& work, const Terminal& terminal) {
  if (work.empty()) return "";
  TextTable table({"to compute", "", "why", "writes", "reads"});
  for (const PlannedWork& item : work) {
    const std::string cutoffs =
        item.cutoffs_all == 0
            ? ""
            : fmt::format("  ({} of {})", item.cutoffs, Counted(item.cutoffs_all, "cutoff"));
    table.Add({terminal.Paint(Color::kDim, item.kind), item.name + cutoffs, item.reason,
               Amount(item.rows, item.bytes), Amount(item.rows_read, item.bytes_read)});
  }
  return table.Render(terminal);
}

int64_t CountOf(const PlanReport& report, const std::string& action) {
  int64_t count = 0;
  for (const PlannedChange& change : report.changes) count += change.action == action ? 1 : 0;
  return count;
}

std::string Summary(const PlanReport& report) {
  const int64_t unchanged = CountOf(report, "unchanged");
  if (!report.has_effect)
    return fmt::format("nothing to change: {} as applied\n", Counted(unchanged, "object"));
  std::string text = fmt::format("{} to add, {} to change, {} to remove", CountOf(report, "add"),
                                 CountOf(report, "change"), CountOf(report, "remove"));
  if (const int64_t drifted = CountOf(report, "drift"); drifted > 0)
    text += fmt::format(", {} drifted", drifted);
  return text + fmt::format(", {} unchanged\n", unchanged);
}

}  // namespace

std::string PlanText(const PlanReport& report, const Terminal& terminal) {
  std::string text = fmt::format("project {} in {}\n", terminal.Paint(Color::kBold, report.project),
                                 report.registry);
  for (const PlannedChange& change : report.changes)
    if (change.action != "unchanged") text += ChangeText(change, terminal);
  text += WarningLines(report.warnings, terminal);
  return text + WorkTable(report.work, terminal) + Summary(report);
}

json ToJson(const PlanReport& report) {
  json changes = json::array();
  for (const PlannedChange& change : report.changes) {
    json fields = json::array();
    for (const FieldDifference& field : change.fields) {
      fields.push_back({{"path", field.path}, {"before", field.before}, {"after", field.after}});
    }
    changes.push_back({{"action", change.action},
                       {"kind", change.kind},
                       {"name", change.name},
                       {"fields", std::move(fields)},
                       {"breaking", change.breaking},
                       {"why_breaking", change.why_breaking},
                       {"needs_force", change.needs_force},
                       {"old_version", change.old_version},
                       {"new_version", change.new_version},
                       {"dependants", change.dependants},
                       {"columns", change.columns}});
  }
  const auto known = [](int64_t number) { return number < 0 ? json() : json(number); };
  json work = json::array();
  for (const PlannedWork& item : report.work) {
    work.push_back({{"kind", item.kind},
                    {"name", item.name},
                    {"reason", item.reason},
                    {"cutoffs", item.cutoffs},
                    {"cutoffs_all", item.cutoffs_all},
                    {"rows", known(item.rows)},
                    {"bytes", known(item.bytes)},
                    {"rows_read", known(item.rows_read)},
                    {"bytes_read", known(item.bytes_read)}});
  }
  return {{"project", report.project},         {"registry", report.registry},
          {"changes", std::move(changes)},     {"work", std::move(work)},
          {"warnings", report.warnings},       {"has_effect", report.has_effect},
          {"has_removal", report.has_removal}, {"has_breaking", report.has_breaking},
          {"needs_force", report.needs_force}};
}

}  // namespace viand::cli
