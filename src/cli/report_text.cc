#include "src/cli/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "src/common/grouped_number.h"
#include "src/common/time.h"

namespace viand::cli {
namespace {

using nlohmann::json;

json NumberOrNull(double value) { return std::isnan(value) ? json(nullptr) : json(value); }

json ToObject(const std::vector<Metric>& metrics) {
  json object = json::object();
  for (const auto& [name, value] : metrics) object[name] = NumberOrNull(value);
  return object;
}

std::string PaintStatus(const std::string& status, const Terminal& terminal) {
  return terminal.Paint(status == "fresh" ? Color::kDim : Color::kGreen, status);
}

}  // namespace

std::string WarningLines(const std::vector<std::string>& warnings, const Terminal& terminal) {
  std::string text;
  for (const std::string& warning : warnings) {
    text += terminal.Paint(Color::kYellow, "  warning: ") + warning + "\n";
  }
  return text;
}

std::string StepTable(const std::vector<StepReport>& steps, const Terminal& terminal) {
  TextTable table({"step", "object", "status", "rows", "time", ""});
  table.AlignRight(3);
  table.AlignRight(4);
  for (const StepReport& step : steps) {
    table.Add({step.step, step.object, PaintStatus(step.status, terminal), Grouped(step.rows),
               SecondsText(step.seconds), terminal.Paint(Color::kDim, step.detail)});
  }
  return table.Render(terminal);
}

std::string ModelText(const TrainReport& report, const Terminal& terminal) {
  std::string text = terminal.Paint(Color::kBold, report.model);
  text += fmt::format("  {}", Counted(report.train_rows, "train row"));
  if (!std::isnan(report.train_positive_rate))
    text += fmt::format(" ({:.1f} % positive)", report.train_positive_rate * 100);
  text += fmt::format(", {}", Counted(report.test_rows, "test row"));
  if (!std::isnan(report.test_positive_rate))
    text += fmt::format(" ({:.1f} % positive)", report.test_positive_rate * 100);
  text += "\n";
  for (const auto& [name, value] : report.metrics) {
    text += fmt::format("  {:<10} {}\n", name,
                        std::isnan(value) ? "not defined" : fmt::format("{:.4f}", value));
  }
  if (!std::isnan(report.test_positive_rate)) {
    text += fmt::format("  confusion  true 0: {} as 0, {} as 1; true 1: {} as 0, {} as 1\n",
                        Grouped(report.true_negatives), Grouped(report.false_positives),
                        Grouped(report.false_negatives), Grouped(report.true_positives));
  }
  size_t width = 0;
  for (const auto& [name, gain] : report.importance) width = std::max(width, name.size());
  if (!report.importance.empty()) text += "  importance (share of gain)\n";
  for (const auto& [name, gain] : report.importance) {
    std::string bar;
    for (int i = 0; i < static_cast<int>(std::lround(gain * 40)); ++i) bar += "█";
    text += fmt::format("    {:<{}}  {:5.1f} %  {}\n", name, width, gain * 100,
                        terminal.Paint(Color::kCyan, bar));
  }
  return text + WarningLines(report.warnings, terminal);
}

json ToJson(const StepReport& step) {
  json object = {{"name", step.object.empty() ? step.step : step.step + " " + step.object},
                 {"step", step.step},
                 {"object", step.object},
                 {"status", step.status},
                 {"rows", step.rows},
                 {"seconds", step.seconds},
                 {"detail", step.detail},
                 {"output", step.output}};
  if (step.step == "backfill") {
    object["cutoffs"] = step.cutoffs;
    object["cutoffs_computed"] = step.cutoffs_computed;
  }
  return object;
}

json ToJson(const std::vector<StepReport>& steps) {
  json list = json::array();
  for (const StepReport& step : steps) list.push_back(ToJson(step));
  return list;
}

json ToJson(const TrainReport& report) {
  json object = {{"step", ToJson(report.step)},
                 {"model", report.model},
                 {"train_rows", report.train_rows},
                 {"test_rows", report.test_rows},
                 {"train_positive_rate", NumberOrNull(report.train_positive_rate)},
                 {"test_positive_rate", NumberOrNull(report.test_positive_rate)},
                 {"metrics", ToObject(report.metrics)},
                 {"importance", ToObject(report.importance)},
                 {"warnings", report.warnings}};
  if (!std::isnan(report.test_positive_rate)) {
    object["confusion_matrix"] = {{"true_negatives", report.true_negatives},
                                  {"false_positives", report.false_positives},
                                  {"false_negatives", report.false_negatives},
                                  {"true_positives", report.true_positives}};
  }
  return object;
}

json ToJson(const PredictReport& report) {
  return {{"step", ToJson(report.step)},
          {"model", report.model},
          {"as_of", FormatTimestamp(report.as_of_us)},
          {"rows", report.rows},
          {"predicted_positive", report.predicted_positive},
          {"output", report.output}};
}

}  // namespace viand::cli
