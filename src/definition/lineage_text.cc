#include "src/definition/lineage_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace viand::definition {
namespace {

using Json = nlohmann::json;

std::string Title(const LineageNode& node) {
  std::string title = node.column.empty() ? fmt::format("{} ({})", node.object, NameOf(node.kind))
                                          : fmt::format("{} ({} of {})", node.column,
                                                        NameOf(node.kind), node.object);
  if (!node.expression.empty()) title += " = " + node.expression;
  return title;
}

class TreePrinter {
 public:
  TreePrinter(const LineageGraph& graph, bool up) : graph_(graph), up_(up) {}

  std::string Print(size_t root) {
    seen_.insert(root);
    PrintChildren(root, "");
    return std::move(text_);
  }

 private:
  struct Child {
    size_t node;
    LineageUse use;
  };

  /// Upwards what a value is computed from; downwards whatever reads it, once.
  std::vector<Child> ChildrenOf(size_t node) const {
    std::vector<Child> children;
    std::set<size_t> known;
    for (const LineageEdge& edge : graph_.edges) {
      if ((up_ ? edge.to : edge.from) != node) continue;
      if (up_ && edge.use != LineageUse::kValue) continue;
      const size_t child = up_ ? edge.from : edge.to;
      if (known.insert(child).second) children.push_back({child, edge.use});
    }
    return children;
  }

  /// Columns that decide on rows and not on values, by what they do.
  std::string OtherInputs(size_t node) const {
    std::map<LineageUse, std::vector<std::string>> names;
    for (const LineageEdge& edge : graph_.edges) {
      if (edge.to == node && edge.use != LineageUse::kValue)
        names[edge.use].push_back(graph_.nodes[edge.from].column);
    }
    std::vector<std::string> parts;
    for (const auto& [use, columns] : names)
      parts.push_back(fmt::format("{} {}", NameOf(use), fmt::join(columns, ", ")));
    return fmt::format("{}", fmt::join(parts, "; "));
  }

  void PrintChildren(size_t node, const std::string& indent) {
    const std::vector<Child> children = ChildrenOf(node);
    const std::string others = up_ ? OtherInputs(node) : "";
    for (size_t i = 0; i < children.size(); ++i) {
      const bool last = i + 1 == children.size() && others.empty();
      const auto [child, use] = children[i];
      const bool again = !seen_.insert(child).second;
      text_ += fmt::format("{}{} {}{}{}\n", indent, last ? "└─" : "├─", Title(graph_.nodes[child]),
                           use == LineageUse::kValue ? "" : fmt::format("  [{}]", NameOf(use)),
                           again && !ChildrenOf(child).empty() ? "  (see above)" : "");
      if (!again) PrintChildren(child, indent + (last ? "   " : "│  "));
    }
    if (!others.empty()) text_ += fmt::format("{}└─ by {}\n", indent, others);
  }

  const LineageGraph& graph_;
  const bool up_;
  std::set<size_t> seen_;
  std::string text_;
};

std::string Quoted(const std::string& text) { return Json(text).dump(); }

/// Mermaid takes a text in quotes with entities for its own signs.
std::string MermaidText(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"')
      out += "#quot;";
    else if (c == '#')
      out += "#35;";
    else
      out += c;
  }
  return out;
}

bool IsDataset(const LineageNode& node) {
  return node.kind != LineageKind::kService && node.kind != LineageKind::kModel;
}

Json Transformation(LineageUse use) {
  switch (use) {
    case LineageUse::kFilter:
      return {{"type", "INDIRECT"}, {"subtype", "FILTER"}};
    case LineageUse::kKey:
      return {{"type", "INDIRECT"}, {"subtype", "GROUP_BY"}};
    case LineageUse::kTime:
      return {{"type", "INDIRECT"}, {"subtype", "WINDOW"}};
    default:
      return {{"type", "DIRECT"}, {"subtype", "TRANSFORMATION"}};
  }
}

/// A model is a job and no dataset: what it reads, its predictions come from.
size_t ComputedBy(const LineageGraph& graph, size_t node) {
  for (const LineageEdge& edge : graph.edges) {
    if (edge.to == node && graph.nodes[edge.from].kind == LineageKind::kModel) return edge.from;
  }
  return node;
}

constexpr char kProducer[] = "urn:viand:lineage";
constexpr char kSchema[] = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent";
constexpr char kColumnSchema[] =
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/"
    "ColumnLineageDatasetFacet";

/// The event of one object: its columns, each with the columns that it comes from.
Json JobEvent(const LineageGraph& graph, const std::string& project, const std::string& object,
              const std::vector<size_t>& nodes, const std::string& event_time) {
  Json fields = Json::object();
  std::set<std::string> inputs;
  std::string job = object;
  for (const size_t node : nodes) {
    Json input_fields = Json::array();
    const size_t target = ComputedBy(graph, node);
    if (target != node) job = graph.nodes[target].object;
    for (const LineageEdge& edge : graph.edges) {
      const LineageNode& from = graph.nodes[edge.from];
      if (edge.to != target || !IsDataset(from)) continue;
      inputs.insert(from.object);
      if (from.column.empty()) continue;
      input_fields.push_back({{"namespace", project},
                              {"name", from.object},
                              {"field", from.column},
                              {"transformations", Json::array({Transformation(edge.use)})}});
    }
    if (!graph.nodes[node].column.empty())
      fields[graph.nodes[node].column] = {{"inputFields", std::move(input_fields)}};
  }
  Json event = {{"eventTime", event_time}, {"producer", kProducer},
                {"schemaURL", kSchema},    {"job", {{"namespace", project}, {"name", job}}},
                {"inputs", Json::array()}, {"outputs", Json::array()}};
  for (const std::string& input : inputs)
    event["inputs"].push_back({{"namespace", project}, {"name", input}});
  Json output = {{"namespace", project}, {"name", object}};
  if (!fields.empty()) {
    output["facets"]["columnLineage"] = {
        {"_producer", kProducer}, {"_schemaURL", kColumnSchema}, {"fields", std::move(fields)}};
  }
  event["outputs"].push_back(std::move(output));
  return event;
}

}  // namespace

std::string LineageTree(const LineageGraph& graph, const std::vector<size_t>& roots,
                        const LineageDirections& directions) {
  std::string text;
  for (const size_t root : roots) {
    text += (text.empty() ? "" : "\n") + Title(graph.nodes[root]) + "\n";
    if (directions.up) {
      const std::string up = TreePrinter(graph, true).Print(root);
      text += up.empty() ? "made from nothing that is defined here\n" : "made from\n" + up;
    }
    if (directions.down) {
      const std::string down = TreePrinter(graph, false).Print(root);
      text += down.empty() ? "read by nothing\n" : "read by\n" + down;
    }
  }
  return text;
}

std::string LineageDot(const LineageGraph& graph) {
  std::string text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const LineageNode& node = graph.nodes[i];
    text +=
        fmt::format("  n{} [label={}, tooltip={}];\n", i, Quoted(node.Id()), Quoted(Title(node)));
  }
  for (const LineageEdge& edge : graph.edges) {
    text += fmt::format("  n{} -> n{}{};\n", edge.from, edge.to,
                        edge.use == LineageUse::kValue
                            ? ""
                            : fmt::format(" [style=dashed, label={}]", NameOf(edge.use)));
  }
  return text + "}\n";
}

std::string LineageMermaid(const LineageGraph& graph) {
  std::string text = "flowchart LR\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    text += fmt::format("  n{}[\"{}\"]\n", i, MermaidText(graph.nodes[i].Id()));
  for (const LineageEdge& edge : graph.edges) {
    text += edge.use == LineageUse::kValue
                ? fmt::format("  n{} --> n{}\n", edge.from, edge.to)
                : fmt::format("  n{} -.->|{}| n{}\n", edge.from, NameOf(edge.use), edge.to);
  }
  return text;
}

std::string LineageJson(const LineageGraph& graph) {
  Json nodes = Json::array();
  for (const LineageNode& node : graph.nodes) {
    nodes.push_back({{"id", node.Id()},
                     {"kind", NameOf(node.kind)},
                     {"object", node.object},
                     {"column", node.column},
                     {"expression", node.expression}});
  }
  Json edges = Json::array();
  for (const LineageEdge& edge : graph.edges) {
    edges.push_back({{"from", graph.nodes[edge.from].Id()},
                     {"to", graph.nodes[edge.to].Id()},
                     {"use", NameOf(edge.use)}});
  }
  return Json{{"nodes", std::move(nodes)}, {"edges", std::move(edges)}}.dump(2) + "\n";
}

std::string LineageAsOpenLineage(const LineageGraph& graph, const std::string& project,
                                 const std::string& event_time) {
  std::map<std::string, std::vector<size_t>> objects;
  std::set<size_t> computed;
  for (const LineageEdge& edge : graph.edges) computed.insert(edge.to);
  for (const size_t node : computed) {
    if (IsDataset(graph.nodes[node])) objects[graph.nodes[node].object].push_back(node);
  }
  std::string text;
  for (const auto& [object, nodes] : objects)
    text += JobEvent(graph, project, object, nodes, event_time).dump() + "\n";
  return text;
}

}  // namespace viand::definition
