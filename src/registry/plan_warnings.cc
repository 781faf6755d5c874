#include "src/registry/plan_warnings.h"

#include <fmt/format.h>

#include "src/common/time.h"

namespace viand::registry {

std::vector<std::string> DefinitionWarnings(const definition::BoundDefinitions& bound) {
  std::vector<std::string> warnings;
  for (const definition::BoundView& bound_view : bound.views) {
    const definition::FeatureView& view = *bound_view.view;
    const auto warn = [&](std::string text) {
      warnings.push_back(fmt::format("feature view \"{}\": {}", view.name, text));
    };
    if (view.computed && view.snapshots && view.ttl_us == 0)
      warn(
          "ttl is 0d, so a key that is absent at later snapshots keeps its last values for ever, "
          "as in Feast");
    if (view.computed && !view.snapshots)
      warn(
          "computed at retrieval by viand alone (no snapshots); plain Feast stops with a missing "
          "file rather than train on wrong values");
    // Feast hands the ttl to ibis.literal, which refuses a timedelta of days and a rest.
    if (bound_view.ttl_us > kMicrosPerDay && bound_view.ttl_us % kMicrosPerDay != 0)
      warn(fmt::format(
          "Feast's duckdb store cannot read a ttl of {}; whole days, or less than one day, work",
          FormatDuration(bound_view.ttl_us)));
    if (bound_view.output == nullptr && bound_view.source == nullptr)
      warn("its types are known only after ingest");
  }
  return warnings;
}

}  // namespace viand::registry
