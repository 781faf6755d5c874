#include "src/cli/plan_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "src/common/grouped_number.h"

namespace viand::cli {
namespace {

using nlohmann::json;

/// Details are wrapped to it.
constexpr size_t kWidth = 96;

std::string DurationText(double seconds) {
  if (seconds < 0.01) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  return SecondsText(seconds);
}

std::string OfText(int64_t part, int64_t all, const std::string& what) {
  return part == all ? Counted(all, what)
                     : fmt::format("{} of {}", Grouped(part), Counted(all, what));
}

/// "2 of 5 files, 12 of 40 row groups: 1,200,000 of 4,000,000 rows, 12.4 MB of these columns"
std::string ExtentText(const ScanExtent& scan) {
  const std::string rows = OfText(scan.rows, scan.rows_found, "row");
  if (scan.in_memory) return "in memory: " + rows;
  std::string text = OfText(scan.files, scan.files_found, "file");
  text += ", " + OfText(scan.row_groups, scan.row_groups_found, "row group");
  text += ": " + rows;
  if (scan.column_bytes > 0) text += ", " + BytesText(static_cast<double>(scan.column_bytes));
  return text;
}

std::string HeaviestText(const std::vector<HeavyKey>& keys) {
  std::string text;
  for (const HeavyKey& key : keys)
    text += (text.empty() ? "heaviest keys: " : ", ") +
            fmt::format("{} ({})", key.key, Grouped(key.rows));
  return text;
}

/// "node 3f1a6cde: 4 fragments, 1,200 -> 300 rows, 12 KB, 31 ms"
std::string NodeText(const NodeMeasures& node) {
  constexpr size_t kShownOfId = 8;
  std::string text = fmt::format(
      "node {}: {}, {} -> {}, {}, {}", node.node.substr(0, kShownOfId),
      Counted(node.fragments, "fragment"), Grouped(node.rows_in), Counted(node.rows_out, "row"),
      BytesText(static_cast<double>(node.bytes_out)), DurationText(node.fragment_seconds));
  if (node.retried > 0) text += fmt::format(", {} retried", Grouped(node.retried));
  return text;
}

/// Cuts a text at blanks into lines of at most `width`; a longer word stays whole.
std::vector<std::string> Wrapped(const std::string& text, size_t width) {
  std::vector<std::string> lines = {""};
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    const bool first = lines.back().empty();
    if (!first && DisplayWidth(lines.back()) + 1 + DisplayWidth(word) > width) {
      lines.push_back("  " + word);
    } else {
      lines.back() += (first ? "" : " ") + word;
    }
    start = end + 1;
  }
  return lines;
}

class TreeText {
 public:
  explicit TreeText(const Terminal& terminal) : terminal_(terminal) {}

  std::string Render(const PlanOperator& plan) {
    analyzed_ = plan.measured.has_value();
    if (analyzed_) FindBytes(plan);
    lines_.push_back({.tree = "", .text = "operator", .figures = Header(), .color = Color::kDim});
    Add(plan, "", "");
    return Aligned();
  }

 private:
  struct Line {
    std::string tree, text;
    std::vector<std::string> figures;  // empty: a detail
    Color color = Color::kPlain;
  };

  void FindBytes(const PlanOperator& node) {
    if (node.measured && node.measured->spilled_bytes > 0) spilled_ = true;
    if (node.measured && node.measured->sent_bytes > 0) sent_ = true;
    for (const PlanOperator& input : node.inputs) FindBytes(input);
  }

  std::vector<std::string> Header() const {
    if (!analyzed_) return {"rows"};
    std::vector<std::string> header = {"rows in", "rows out", "bytes out", "time", "skew"};
    if (spilled_) header.push_back("spilled");
    if (sent_) header.push_back("sent");
    return header;
  }

  std::vector<std::string> Figures(const PlanOperator& node) const {
    if (!analyzed_) return {Grouped(node.rows)};
    const OperatorMeasures& did = *node.measured;
    const bool skewed = node.kind == "as_of_join" || node.kind == "window_aggregates";
    std::vector<std::string> figures = {
        Grouped(did.rows_in), Grouped(did.rows_out), BytesText(static_cast<double>(did.bytes_out)),
        DurationText(did.seconds),
        skewed && did.fragments > 1 ? fmt::format("{:.2f}", did.skew) : ""};
    const auto add = [&](bool shown, int64_t bytes) {
      if (shown) figures.push_back(bytes == 0 ? "" : BytesText(static_cast<double>(bytes)));
    };
    add(spilled_, did.spilled_bytes);
    add(sent_, did.sent_bytes);
    return figures;
  }

  /// A key that has much of all rows is joined or aggregated by several fragments.
  static std::string CutText(const PlanOperator& node) {
    const int64_t partitions = node.inputs.empty() ? 0 : std::max(1, node.inputs[0].partitions);
    const bool joins = node.kind == "as_of_join" || node.kind == "window_aggregates";
    if (!joins || !node.measured || node.title.starts_with("broadcast") ||
        node.measured->fragments <= partitions)
      return "";
    return fmt::format("heavy keys are cut: {} for {}",
                       Counted(node.measured->fragments, "fragment"),
                       Counted(partitions, "partition"));
  }

  /// `before` stands before the operator's line, `below` before all that belongs to it.
  void Add(const PlanOperator& node, const std::string& before, const std::string& below) {
    lines_.push_back(
        {.tree = before, .text = node.title, .figures = Figures(node), .color = Color::kBold});
    const std::string bar = below + (node.inputs.empty() ? "     " : "│    ");
    const auto detail = [&](const std::string& text) {
      const size_t used = DisplayWidth(bar);
      for (const std::string& line : Wrapped(text, used + 30 < kWidth ? kWidth - used : 30))
        lines_.push_back({.tree = bar, .text = line, .figures = {}, .color = Color::kPlain});
    };
    if (node.scan) detail(ExtentText(*node.scan));
    for (const std::string& text : node.details) detail(text);
    if (node.partitions > 1) detail(Counted(node.partitions, "partition"));
    const std::string cut = CutText(node);
    if (!cut.empty()) detail(cut);
    if (node.measured && !node.measured->heaviest_keys.empty())
      detail(HeaviestText(node.measured->heaviest_keys));
    if (node.measured) {
      for (const NodeMeasures& on : node.measured->nodes) detail(NodeText(on));
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const bool last = i + 1 == node.inputs.size();
      Add(node.inputs[i], below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
    }
  }

  std::string Aligned() const {
    size_t widest = 0;
    std::vector<size_t> widths(Header().size(), 0);
    for (const Line& line : lines_) {
      if (line.figures.empty()) continue;
      widest = std::max(widest, DisplayWidth(line.tree + line.text));
      for (size_t i = 0; i < line.figures.size(); ++i)
        widths[i] = std::max(widths[i], DisplayWidth(line.figures[i]));
    }
    std::string text;
    for (const Line& line : lines_) {
      std::string row =
          terminal_.Paint(Color::kDim, line.tree) + terminal_.Paint(line.color, line.text);
      if (!line.figures.empty()) {
        row += std::string(widest - DisplayWidth(line.tree + line.text), ' ');
        for (size_t i = 0; i < line.figures.size(); ++i)
          row += fmt::format("  {:>{}}", line.figures[i], widths[i]);
      }
      row.erase(row.find_last_not_of(' ') + 1);
      text += row + "\n";
    }
    return text;
  }

  const Terminal& terminal_;
  bool analyzed_ = false;
  bool spilled_ = false;
  bool sent_ = false;
  std::vector<Line> lines_;
};

json ToJson(const ScanExtent& scan) {
  return {{"files", scan.files},
          {"files_found", scan.files_found},
          {"row_groups", scan.row_groups},
          {"row_groups_found", scan.row_groups_found},
          {"rows", scan.rows},
          {"rows_found", scan.rows_found},
          {"bytes", scan.column_bytes},
          {"in_memory", scan.in_memory}};
}

json ToJson(const OperatorMeasures& did) {
  json keys = json::array();
  for (const HeavyKey& key : did.heaviest_keys)
    keys.push_back({{"key", key.key}, {"rows", key.rows}});
  json nodes = json::array();
  for (const NodeMeasures& on : did.nodes) {
    nodes.push_back({{"node", on.node},
                     {"fragments", on.fragments},
                     {"retried", on.retried},
                     {"rows_in", on.rows_in},
                     {"rows_out", on.rows_out},
                     {"bytes_out", on.bytes_out},
                     {"fragment_seconds", on.fragment_seconds}});
  }
  return {{"seconds", did.seconds},
          {"fragment_seconds", did.fragment_seconds},
          {"fragments", did.fragments},
          {"rows_in", did.rows_in},
          {"rows_out", did.rows_out},
          {"bytes_out", did.bytes_out},
          {"skew", did.skew},
          {"spilled_bytes", did.spilled_bytes},
          {"sent_bytes", did.sent_bytes},
          {"heaviest_keys", keys},
          {"nodes", nodes}};
}

}  // namespace

std::string PlanTreeText(const PlanOperator& plan, const Terminal& terminal) {
  return TreeText(terminal).Render(plan);
}

json ToJson(const PlanOperator& plan) {
  json document = {{"kind", plan.kind},
                   {"title", plan.title},
                   {"details", plan.details},
                   {"rows", plan.rows},
                   {"partitions", plan.partitions}};
  if (plan.scan) document["scan"] = ToJson(*plan.scan);
  if (plan.measured) document["measured"] = ToJson(*plan.measured);
  document["inputs"] = json::array();
  for (const PlanOperator& input : plan.inputs) document["inputs"].push_back(ToJson(input));
  return document;
}

}  // namespace viand::cli
