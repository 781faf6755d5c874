// The keys of a spine against those of the views that are looked up by them.
#pragma once

#include "src/engine/open_scan.h"
#include "src/engine/spine.h"

namespace viand::engine {

/// Checks that each of the spine's columns exists and can be compared with the view's key of the
/// same position; kInput names both. `view` reads `feature view "x"`.
arrow::Status CheckKeyTypes(const Spine& spine, const std::vector<std::string>& spine_keys,
                            const OpenedScan& source, const std::vector<std::string>& view_keys,
                            const std::string& view);

}  // namespace viand::engine
