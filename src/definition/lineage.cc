#include "src/definition/lineage.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "src/expression/parser.h"
#include "src/expression/syntax.h"

namespace viand::definition {
namespace {

/// Names that an expression reads: for its value, and for the conditions of its aggregates.
struct NamesRead {
  std::set<std::string> values;
  std::set<std::string> conditions;

  void Add(const expression::SyntaxPtr& tree, bool in_condition) {
    if (tree == nullptr) return;
    const bool is_time = !tree->quoted && tree->text == "as_of";
    if (tree->kind == expression::SyntaxKind::kName && !is_time)
      (in_condition ? conditions : values).insert(tree->text);
    for (const auto& arg : tree->args) Add(arg, in_condition);
    for (const auto& key : tree->per_keys) Add(key, in_condition);
    Add(tree->order_by, in_condition);
    Add(tree->filter, true);
  }
};

/// Text that does not parse was refused by validation; here it reads nothing.
NamesRead NamesIn(const Sql& sql) {
  NamesRead names;
  const auto tree = expression::Parse(sql.text, sql.where);
  if (tree.ok()) names.Add(*tree, false);
  return names;
}

template <typename Objects>
auto* FindNamed(const Objects& objects, const std::string& name) {
  const auto found = std::find_if(objects.begin(), objects.end(),
                                  [&](const auto& object) { return object.name == name; });
  return found == objects.end() ? nullptr : &*found;
}

class Builder {
 public:
  Builder(const BoundDefinitions& bound, const std::set<std::string>* objects)
      : bound_(bound), all_(*bound.definitions), objects_(objects) {
    for (const BoundView& view : bound.views) views_.emplace(view.view->name, &view);
    for (const Source& source : all_.sources) sources_.emplace(source.name, &source);
    for (const Dataset& dataset : all_.datasets) datasets_by_path_.emplace(dataset.to, &dataset);
  }

  LineageGraph Build() {
    for (const BoundDataset& dataset : bound_.datasets) AddDataset(dataset);
    for (const BoundView& view : bound_.views)
      if (IsWanted(view.view->name)) AddView(view, *view.view, LineageKind::kFeature);
    for (const BoundView& labels : bound_.labels)
      if (IsWanted(labels.labels->name)) AddLabels(labels);
    for (const FeatureService& service : all_.feature_services) {
      if (!IsWanted(service.name)) continue;
      const size_t node = Node({LineageKind::kService, service.name, "", ""});
      for (const size_t feature : FeaturesOf(service)) Edge(feature, node, LineageUse::kValue);
    }
    for (const Model& model : all_.models)
      if (IsWanted(model.name)) AddModel(model);
    return std::move(graph_);
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  bool IsWanted(const std::string& name) const {
    return objects_ == nullptr || objects_->contains(name);
  }

  size_t Node(LineageNode node) {
    const auto [place, fresh] = numbers_.emplace(node.Id(), graph_.nodes.size());
    if (fresh) graph_.nodes.push_back(std::move(node));
    return place->second;
  }

  void Edge(size_t from, size_t to, LineageUse use) {
    if (from == kNone || from == to) return;
    if (edges_.emplace(from, to, static_cast<int>(use)).second)
      graph_.edges.push_back({from, to, use});
  }

  void AddDataset(const BoundDataset& bound) {
    const Dataset& dataset = *bound.dataset;
    std::vector<std::string> paths;
    for (const Reference& path : dataset.from.paths) paths.push_back(path.name);
    const std::string files = fmt::format("{}", fmt::join(paths, ", "));
    const auto raw = [&](const std::string& column) {
      return Node({LineageKind::kRawColumn, files, column, ""});
    };
    std::set<std::string> filtered;
    if (dataset.filter) filtered = NamesIn(*dataset.filter).values;
    const auto add = [&](const std::string& column, const std::string& text,
                         const std::set<std::string>& inputs) {
      const size_t node = Node({LineageKind::kDatasetColumn, dataset.name, column, text});
      for (const std::string& input : inputs) Edge(raw(input), node, LineageUse::kValue);
      for (const std::string& input : filtered) Edge(raw(input), node, LineageUse::kFilter);
    };
    for (const NamedSql& column : dataset.columns) {
      const bool as_it_is = column.sql.text == column.name;
      add(column.name, as_it_is ? "" : column.sql.text, NamesIn(column.sql).values);
    }
    if (!dataset.columns.empty()) return;
    const auto schema = bound.output != nullptr ? bound.output : bound.foreseen.columns;
    if (schema == nullptr) return;
    for (const auto& field : schema->fields()) add(field->name(), "", {field->name()});
  }

  /// The column of a source, or of a view, that an expression knows by a name.
  size_t Resolve(const std::string& source_name, const std::string& name) {
    if (const auto view = views_.find(source_name); view != views_.end()) {
      const BoundView* upstream = view->second;
      const std::string id = LineageNode{LineageKind::kFeature, source_name, name, ""}.Id();
      if (const auto feature = numbers_.find(id); feature != numbers_.end()) return feature->second;
      // Keys are the upstream view's own; its time is that of its source.
      const std::string& of_source = name == "event_timestamp" ? upstream->timestamp_field : name;
      return Resolve(upstream->view->source.name, of_source);
    }
    const auto found = sources_.find(source_name);
    if (found == sources_.end()) return kNone;
    const Source* source = found->second;
    std::string in_source = name;
    for (const auto& [from, to] : source->field_mapping) {
      if (to == name) in_source = from;
    }
    if (const auto writer = datasets_by_path_.find(source->path);
        writer != datasets_by_path_.end()) {
      const std::string& dataset = writer->second->name;
      graph_.written_by[source_name] = dataset;
      return Node({LineageKind::kDatasetColumn, dataset, in_source, ""});
    }
    return Node({LineageKind::kSourceColumn, source_name, in_source, ""});
  }

  /// `object` is a FeatureView or Labels.
  template <typename ViewOrLabels>
  void AddView(const BoundView& bound, const ViewOrLabels& object, LineageKind kind) {
    const std::string& source = object.source.name;
    NamesRead filters;
    if (object.filter) filters = NamesIn(*object.filter);
    if constexpr (requires { object.having; }) {
      if (object.having) {
        const NamesRead having = NamesIn(*object.having);
        filters.conditions.insert(having.values.begin(), having.values.end());
        filters.conditions.insert(having.conditions.begin(), having.conditions.end());
      }
    }
    filters.conditions.insert(filters.values.begin(), filters.values.end());
    for (const BoundFeature& each : bound.features) {
      const Feature& feature = *each.feature;
      const size_t node = Node({kind, object.name, feature.name, feature.Computation()});
      NamesRead names = NamesIn(feature.expr);
      names.values.insert(each.function_columns.begin(), each.function_columns.end());
      if (!feature.IsComputed()) names.values.insert(feature.name);
      for (const auto& name : names.values) Edge(Resolve(source, name), node, LineageUse::kValue);
      names.conditions.insert(filters.conditions.begin(), filters.conditions.end());
      for (const auto& name : names.conditions)
        Edge(Resolve(source, name), node, LineageUse::kFilter);
      for (const auto& key : bound.join_keys) Edge(Resolve(source, key), node, LineageUse::kKey);
      if (!bound.timestamp_field.empty())
        Edge(Resolve(source, bound.timestamp_field), node, LineageUse::kTime);
    }
  }

  void AddLabels(const BoundView& bound) { AddView(bound, *bound.labels, LineageKind::kLabel); }

  std::vector<size_t> FeaturesOf(const FeatureService& service) {
    std::vector<size_t> features;
    for (const FeatureReference& reference : service.features) {
      const auto found = views_.find(reference.view.name);
      const BoundView* view = found == views_.end() ? nullptr : found->second;
      if (view == nullptr) continue;
      for (const BoundFeature& each : view->features) {
        const std::string& name = each.feature->name;
        const bool wanted = reference.features.empty() ||
                            std::find(reference.features.begin(), reference.features.end(), name) !=
                                reference.features.end();
        if (!wanted) continue;
        features.push_back(Node({LineageKind::kFeature, reference.view.name, name, ""}));
      }
    }
    return features;
  }

  void AddModel(const Model& model) {
    const size_t node = Node({LineageKind::kModel, model.name, "", ""});
    if (const auto* service = FindNamed(all_.feature_services, model.features.name)) {
      for (const size_t feature : FeaturesOf(*service)) Edge(feature, node, LineageUse::kValue);
    }
    if (const BoundView* labels = bound_.FindLabels(model.labels.name)) {
      const LineageNode target{LineageKind::kLabel, labels->labels->name, model.target, ""};
      const auto label = numbers_.find(target.Id());
      if (label != numbers_.end()) Edge(label->second, node, LineageUse::kValue);
    }
    const std::string file = "data/predictions/" + model.name + ".parquet";
    Edge(node, Node({LineageKind::kPredictions, file, "", ""}), LineageUse::kValue);
  }

  const BoundDefinitions& bound_;
  const Definitions& all_;
  const std::set<std::string>* const objects_;
  std::map<std::string_view, const BoundView*> views_;
  std::map<std::string_view, const Source*> sources_;
  std::map<std::string_view, const Dataset*> datasets_by_path_;
  LineageGraph graph_;
  std::map<std::string, size_t> numbers_;  // by id
  std::set<std::tuple<size_t, size_t, int>> edges_;
};

}  // namespace

const char* NameOf(LineageKind kind) {
  constexpr const char* kNames[] = {"raw column", "dataset column", "source column",
                                    "feature",    "label",          "feature service",
                                    "model",      "predictions"};
  return kNames[static_cast<int>(kind)];
}

const char* NameOf(LineageUse use) {
  constexpr const char* kNames[] = {"value", "filter", "key", "time"};
  return kNames[static_cast<int>(use)];
}

std::string LineageNode::Id() const {
  if (column.empty()) return object;
  return object + (kind == LineageKind::kFeature ? ":" : ".") + column;
}

LineageGraph BuildLineage(const BoundDefinitions& bound, const std::set<std::string>* objects) {
  return Builder(bound, objects).Build();
}

arrow::Result<std::vector<size_t>> FindInLineage(const LineageGraph& graph,
                                                 const std::string& name) {
  std::vector<size_t> exact, of_object, of_column;
  std::vector<std::string> names, ids;
  const auto written = graph.written_by.find(name);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const LineageNode& node = graph.nodes[i];
    if (node.Id() == name || node.object + "." + node.column == name) exact.push_back(i);
    if (node.object == name ||
        (written != graph.written_by.end() && node.object == written->second))
      of_object.push_back(i);
    if (!node.column.empty() && node.column == name) {
      of_column.push_back(i);
      ids.push_back(node.Id());
    }
    for (const std::string& known : {node.object, node.column, node.Id()}) {
      if (!known.empty()) names.push_back(known);
    }
  }
  if (!exact.empty()) return exact;
  if (!of_object.empty()) return of_object;
  if (of_column.size() == 1) return of_column;
  if (!of_column.empty()) {
    return MakeError(ErrorKind::kUsage, fmt::format("\"{}\" is a column of several objects", name),
                     fmt::format("name one of {}", fmt::join(ids, ", ")));
  }
  return MakeError(ErrorKind::kNotFound, fmt::format("nothing is named \"{}\"", name),
                   DidYouMean(name, names));
}

LineageNeighbours::LineageNeighbours(const LineageGraph& graph)
    : above_(graph.nodes.size()), below_(graph.nodes.size()) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) nodes_of_[graph.nodes[i].object].push_back(i);
  for (const LineageEdge& edge : graph.edges) {
    above_[edge.to].push_back(edge.from);
    below_[edge.from].push_back(edge.to);
  }
}

const std::vector<size_t>& LineageNeighbours::NodesOf(const std::string& object) const {
  static const std::vector<size_t> kNone;
  const auto found = nodes_of_.find(object);
  return found == nodes_of_.end() ? kNone : found->second;
}

std::set<size_t> LineageNeighbours::Reached(const std::vector<size_t>& roots, bool up) const {
  std::set<size_t> seen(roots.begin(), roots.end());
  std::vector<size_t> rest = roots;
  while (!rest.empty()) {
    const size_t node = rest.back();
    rest.pop_back();
    for (const size_t next : up ? above_[node] : below_[node])
      if (seen.insert(next).second) rest.push_back(next);
  }
  return seen;
}

LineageGraph ConnectedTo(const LineageGraph& graph, std::vector<size_t>* roots,
                         const LineageDirections& directions) {
  const LineageNeighbours neighbours(graph);
  std::vector<bool> kept(graph.nodes.size(), false);
  std::vector<bool> kept_edges(graph.edges.size(), false);
  const auto visit = [&](bool up) {
    const std::set<size_t> reached = neighbours.Reached(*roots, up);
    for (const size_t node : reached) kept[node] = true;
    for (size_t i = 0; i < graph.edges.size(); ++i)
      if (reached.contains(up ? graph.edges[i].to : graph.edges[i].from)) kept_edges[i] = true;
  };
  if (directions.up) visit(true);
  if (directions.down) visit(false);
  LineageGraph part;
  std::vector<size_t> number(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    number[i] = part.nodes.size();
    if (kept[i]) part.nodes.push_back(graph.nodes[i]);
  }
  for (size_t i = 0; i < graph.edges.size(); ++i) {
    const LineageEdge& edge = graph.edges[i];
    if (kept_edges[i]) part.edges.push_back({number[edge.from], number[edge.to], edge.use});
  }
  for (size_t& root : *roots) root = number[root];
  return part;
}

}  // namespace viand::definition
