#include "src/store/lineage.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <numeric>

#include "src/definition/lineage_text.h"

namespace viand::store {
namespace {

const std::vector<std::string>& Formats() {
  static const std::vector<std::string> formats = {"tree", "dot", "mermaid", "json", "openlineage"};
  return formats;
}

arrow::Status CheckFormat(const std::string& format) {
  if (std::find(Formats().begin(), Formats().end(), format) != Formats().end())
    return arrow::Status::OK();
  return MakeError(ErrorKind::kUsage, fmt::format("unknown format \"{}\" of lineage", format),
                   NearestOrAll(format, Formats(), "the formats are "));
}

}  // namespace

arrow::Result<std::string> LineageText(const RepoSession& session, const std::string& name,
                                       const LineageOptions& options) {
  ARROW_RETURN_NOT_OK(CheckFormat(options.format));
  if (name.empty() && options.format == "tree") {
    return MakeError(ErrorKind::kUsage, "a tree of lineage has a root",
                     "name an object or a column, or take another --format for the whole repo");
  }
  definition::LineageGraph graph = definition::BuildLineage(session.bound());
  std::vector<size_t> roots(graph.nodes.size());
  std::iota(roots.begin(), roots.end(), 0);
  const definition::LineageDirections directions{.up = options.up, .down = options.down};
  if (!name.empty()) {
    ARROW_ASSIGN_OR_RAISE(roots, definition::FindInLineage(graph, name));
    graph = definition::ConnectedTo(graph, &roots, directions);
  }
  if (options.format == "tree") return definition::LineageTree(graph, roots, directions);
  if (options.format == "dot") return definition::LineageDot(graph);
  if (options.format == "mermaid") return definition::LineageMermaid(graph);
  if (options.format == "json") return definition::LineageJson(graph);
  return definition::LineageAsOpenLineage(
      graph, session.config().project,
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))));
}

}  // namespace viand::store
