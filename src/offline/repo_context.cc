#include "src/offline/repo_context.h"

#include <fmt/format.h>

#include "src/offline/view_source.h"

namespace viand::offline {
namespace {

/// Tells why a grid is not recorded: where its source has no time, applying does not help.
arrow::Status NoGrid(const RepoContext& context, const std::string& name) {
  if (const auto* snapshots = FindObject(context.bound->definitions->snapshots, name)) {
    const std::string& source = snapshots->source.name;
    ARROW_ASSIGN_OR_RAISE(const bool has_data, HasData(context, source));
    if (has_data) {
      ARROW_ASSIGN_OR_RAISE(const SourceContent content, ContentOfSource(context, source));
      if (content.empty()) {
        return ErrorAt(snapshots->where, ErrorKind::kInput,
                       fmt::format("snapshots \"{}\" have no cutoff: no row of source \"{}\" has a "
                                   "time",
                                   name, source),
                       "check the files of the source and its timestamp_field");
      }
    }
  }
  return MakeError(
      ErrorKind::kInput,
      fmt::format("the cutoffs of snapshots \"{}\" are not recorded in the registry yet", name),
      "run `viand apply` (or `viand run`) first");
}

}  // namespace

arrow::Result<const registry::ResolvedGrid*> GridOf(const RepoContext& context,
                                                    const definition::FeatureView& view) {
  const auto found = context.grids.find(view.snapshots->name);
  if (found == context.grids.end()) return NoGrid(context, view.snapshots->name);
  return &found->second;
}

arrow::Result<const definition::BoundView*> RequireView(const RepoContext& context,
                                                        const std::string& name) {
  const definition::BoundView* view = context.bound->FindView(name);
  if (view != nullptr) return view;
  const auto& views = context.bound->definitions->feature_views;
  return MakeError(ErrorKind::kNotFound, fmt::format("unknown feature view \"{}\"", name),
                   NearestOrAll(name, NamesOf(views), "there is: "));
}

}  // namespace viand::offline
