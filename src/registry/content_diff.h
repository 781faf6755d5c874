// In which fields two contents of an object differ, as people name the fields.
#pragma once

#include <string>
#include <vector>

#include "src/registry/plan.h"

namespace viand::registry {

/// Compares two contents of one object of any kind, each difference said once: where viand's
/// definition changed, in its own words. Kinds that viand does not read inside make one change of
/// their sizes.
arrow::Result<std::vector<FieldChange>> DiffContents(ObjectKind kind, const std::string& name,
                                                     const std::string& before,
                                                     const std::string& after);

}  // namespace viand::registry
