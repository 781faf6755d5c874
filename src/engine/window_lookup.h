// Lookups of computed views at a spine as fragments aggregate them.
#pragma once

#include <memory>
#include <vector>

#include "src/engine/fragment.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/shared_pass.h"

namespace viand::engine {

/// The views of a pass at a spine of some times.
std::vector<PassView> ViewsOf(const LookupPass& pass, const TimeRange& times);

/// Their aggregates over tables of `events`; of one part of the spine and one chunk until the
/// caller says otherwise.
WindowFragment WindowsOf(const LookupPass& pass, const std::vector<PassView>& views,
                         const std::shared_ptr<arrow::Schema>& events);

}  // namespace viand::engine
