#include "src/offline/grid.h"

#include <fmt/format.h>

#include "src/common/time.h"

namespace viand::offline {
namespace {

// More is a mistake in `every`, and each cutoff is a file.
constexpr int64_t kMaxCutoffs = 100'000;

int64_t TimeOf(const definition::GridBound& bound, int64_t start_us, int64_t end_us) {
  switch (bound.anchor) {
    case definition::GridBound::Anchor::kStart:
      return start_us + bound.offset_us;
    case definition::GridBound::Anchor::kEnd:
      return end_us + bound.offset_us;
    default:
      return bound.offset_us;
  }
}

}  // namespace

arrow::Result<registry::ResolvedGrid> ResolveGrid(const definition::Snapshots& snapshots,
                                                  int64_t start_us, int64_t end_us) {
  const int64_t first = TimeOf(snapshots.first, start_us, end_us);
  const int64_t last = TimeOf(snapshots.last, start_us, end_us);
  if (first > last) {
    return ErrorAt(
        snapshots.where, ErrorKind::kInput,
        fmt::format("snapshots \"{}\" have no cutoff: first ({}) is {}, last ({}) is {}",
                    snapshots.name, snapshots.first.text, FormatTimestamp(first),
                    snapshots.last.text, FormatTimestamp(last)),
        fmt::format("the data of source \"{}\" goes from {} to {}", snapshots.source.name,
                    FormatTimestamp(start_us), FormatTimestamp(end_us)));
  }
  if ((last - first) / snapshots.every_us >= kMaxCutoffs) {
    return ErrorAt(
        snapshots.where, ErrorKind::kDefinition,
        fmt::format("snapshots \"{}\" have more than {} cutoffs", snapshots.name, kMaxCutoffs),
        "raise `every`, or bring first and last closer together");
  }
  registry::ResolvedGrid grid{start_us, end_us, {}};
  for (int64_t cutoff = first; cutoff <= last; cutoff += snapshots.every_us)
    grid.cutoffs_us.push_back(cutoff);
  return grid;
}

}  // namespace viand::offline
