// What every column is made from, from the raw files to the models that read it: the lineage of a
// repo, taken from its definitions alone, since an expression knows its inputs.
//
//   LineageGraph graph = BuildLineage(bound);
//   VIAND_ASSIGN_OR_RETURN(auto roots, FindInLineage(graph, "monetary"));
//   LineageGraph part = ConnectedTo(graph, roots, {.up = true, .down = false});
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/definition/validation.h"

namespace viand::definition {

enum class LineageKind {
  kRawColumn,      ///< of the files that a dataset reads
  kDatasetColumn,  ///< of what it writes
  kSourceColumn,   ///< of a source that no dataset writes
  kFeature,
  kLabel,
  kService,
  kModel,
  kPredictions,
};

/// Names a kind as people read it: "feature", "raw column".
const char* NameOf(LineageKind kind);

struct LineageNode {
  LineageKind kind = LineageKind::kFeature;
  std::string object;      ///< dataset, view, ...; of raw columns the dataset's paths
  std::string column;      ///< empty: services, models, predictions
  std::string expression;  ///< as written; empty where a column is taken as it is

  /// Unique in a graph: "transactions.revenue", "customer_rfm_features:monetary".
  std::string Id() const;
};

/// What one column does for another.
enum class LineageUse {
  kValue,   ///< it is computed from it
  kFilter,  ///< a `where` or `having` reads it
  kKey,     ///< rows are grouped by it
  kTime,    ///< windows go by it
};
const char* NameOf(LineageUse use);

struct LineageEdge {
  size_t from = 0;
  size_t to = 0;
  LineageUse use = LineageUse::kValue;

  bool operator==(const LineageEdge&) const = default;
};

struct LineageGraph {
  std::vector<LineageNode> nodes;
  std::vector<LineageEdge> edges;                 ///< none twice
  std::map<std::string, std::string> written_by;  ///< source -> the dataset that writes it
};

/// The lineage of all definitions, or of the views, labels, services and models named by `objects`
/// alone: that of thousands takes a while. Names that an expression reads and nobody has are left
/// out.
LineageGraph BuildLineage(const BoundDefinitions& bound,
                          const std::set<std::string>* objects = nullptr);

/// Finds the nodes of a name: "object.column", "view:feature", an object (all its columns), or a
/// column; kUsage where there is none, with the nearest, or where columns of several objects have
/// it, with their full names.
arrow::Result<std::vector<size_t>> FindInLineage(const LineageGraph& graph,
                                                 const std::string& name);

/// Who is next to whom in a graph: made once, then a walk costs what it reaches.
class LineageNeighbours {
 public:
  explicit LineageNeighbours(const LineageGraph& graph);

  /// The nodes of an object, ascending.
  const std::vector<size_t>& NodesOf(const std::string& object) const;
  /// The nodes that `roots` are made from (up) or that are made from them, they included.
  std::set<size_t> Reached(const std::vector<size_t>& roots, bool up) const;

 private:
  std::unordered_map<std::string, std::vector<size_t>> nodes_of_;
  std::vector<std::vector<size_t>> above_, below_;  // by node
};

struct LineageDirections {
  bool up = true;    ///< what it is made from
  bool down = true;  ///< what is made from it
};

/// The part of a graph that `roots` are made from, and that is made from them. `roots` are
/// renumbered.
LineageGraph ConnectedTo(const LineageGraph& graph, std::vector<size_t>* roots,
                         const LineageDirections& directions);

}  // namespace viand::definition
