// Which changes break a reader of an object.
#pragma once

#include <string>

#include "src/registry/registry.h"

namespace viand::registry {

/// Says why readers of `before` would fail, or would read something of another meaning, once
/// `after` is stored; empty where they would not. Both are contents of an object of this kind.
/// Breaking are: a feature, label column or projected column that goes away or changes its type
/// (from a known one), other join keys, another type of an entity, and recorded cutoffs of a grid
/// that are dropped or shifted.
arrow::Result<std::string> WhyBreaking(ObjectKind kind, const std::string& name,
                                       const std::string& before, const std::string& after);

}  // namespace viand::registry
