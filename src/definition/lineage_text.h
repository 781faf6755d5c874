// Lineage as people and programs read it.
#pragma once

#include <string>
#include <vector>

#include "src/definition/lineage.h"

namespace viand::definition {

/// What `roots` are made from and what is made from them, as indented trees. A column that was
/// shown already is not unfolded again.
std::string LineageTree(const LineageGraph& graph, const std::vector<size_t>& roots,
                        const LineageDirections& directions);

std::string LineageDot(const LineageGraph& graph);      ///< Graphviz
std::string LineageMermaid(const LineageGraph& graph);  ///< a flowchart
/// {"nodes": [{id, kind, object, column, expression}], "edges": [{from, to, use}]}.
std::string LineageJson(const LineageGraph& graph);

/// One OpenLineage JobEvent a line (spec 2-0-2, columnLineage facet 1-2-0) for each object that
/// something is computed in; its job is `project`.`object`.
std::string LineageAsOpenLineage(const LineageGraph& graph, const std::string& project,
                                 const std::string& event_time);

}  // namespace viand::definition
