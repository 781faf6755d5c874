#include "src/offline/repo_context.h"

#include <fmt/format.h>

namespace viand::offline {

arrow::Result<const registry::ResolvedGrid*> GridOf(const RepoContext& context,
                                                    const definition::FeatureView& view) {
  const auto found = context.grids.find(view.snapshots->name);
  if (found == context.grids.end()) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("the cutoffs of snapshots \"{}\" are not recorded in the registry yet",
                    view.snapshots->name),
        "run `viand apply` (or `viand run`) first");
  }
  return &found->second;
}

arrow::Result<const definition::BoundView*> RequireView(const RepoContext& context,
                                                        const std::string& name) {
  const definition::BoundView* view = context.bound->FindView(name);
  if (view != nullptr) return view;
  const auto& views = context.bound->definitions->feature_views;
  return MakeError(ErrorKind::kUsage, fmt::format("unknown feature view \"{}\"", name),
                   NearestOrAll(name, NamesOf(views), "there is: "));
}

}  // namespace viand::offline
