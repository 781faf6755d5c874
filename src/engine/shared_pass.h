// Views over the same events are computed in one pass: their source is read, dealt out, indexed and
// sorted once.
#pragma once

#include <string>
#include <vector>

#include "src/engine/map_stage.h"
#include "src/engine/plan.h"
#include "src/engine/time_range.h"

namespace viand::engine {

/// A view and the times as of which it is wanted.
struct PassView {
  const WindowView* view = nullptr;
  TimeRange times;
};

/// One map stage for views that share a pass (execute.h): each column that any of them reads, from
/// the rows that any of them wants. `partitions` and bounds of keys are left to the caller.
arrow::Result<MapRequest> SharedRequest(const OpenedScan& source,
                                        const std::vector<PassView>& views);

/// The filters that the tasks of such a pass apply themselves, parallel to the views: empty where
/// the map stage has applied the one filter that all of them have.
std::vector<std::string> FiltersOfTasks(const std::vector<PassView>& views);

/// `feature view "a", feature view "b"`.
std::string DescriptionOf(const std::vector<PassView>& views);

}  // namespace viand::engine
