// What the registry holds of a snapshots definition: its canonical text and the grid that the last
// apply recorded.
#pragma once

#include <optional>
#include <string>

#include "src/registry/plan.h"

namespace viand::registry {

/// {"cutoffs_us":[...],"definition":{...},"end_us":...,"start_us":...}; without a grid the
/// definition alone.
std::string SnapshotsContent(const std::string& definition, const ResolvedGrid* grid);

/// The grid of such a text; nothing where none was recorded yet.
arrow::Result<std::optional<ResolvedGrid>> GridOf(const std::string& content);

/// The recorded cutoffs that the new grid lacks: readers of their rows would lose them.
std::vector<int64_t> LostCutoffs(const ResolvedGrid& before, const ResolvedGrid& after);

/// Returns "start", "end" and "cutoffs" where they differ: "cutoffs", 9 -> 10. Null: no grid
/// recorded.
std::vector<FieldChange> DiffGrids(const ResolvedGrid* before, const ResolvedGrid* after);

}  // namespace viand::registry
