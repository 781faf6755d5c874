#include "src/registry/plan_warnings.h"

#include <fmt/format.h>

namespace viand::registry {

std::vector<std::string> DefinitionWarnings(const definition::BoundDefinitions& bound) {
  std::vector<std::string> warnings = bound.warnings;
  for (const definition::BoundView& bound_view : bound.views) {
    const definition::FeatureView& view = *bound_view.view;
    if (view.stored_only) continue;
    const auto warn = [&](std::string text) {
      warnings.push_back(fmt::format("feature view \"{}\": {}", view.name, text));
    };
    if (view.computed && !view.snapshots)
      warn(
          "computed at retrieval by viand alone (no snapshots); plain Feast stops with a missing "
          "file rather than train on wrong values");
    if (bound_view.output == nullptr && bound_view.source == nullptr)
      warn("its types are known only after ingest");
  }
  return warnings;
}

}  // namespace viand::registry
