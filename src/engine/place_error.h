// Failures while a view is computed, in the words of its definition.
#pragma once

#include "src/engine/plan.h"

namespace viand::engine {

/// Puts the view's name in front of an error of the user's data or definitions, and its place where
/// the error has none in a file. Other failures (disk full, ctrl-C) stay as they are.
arrow::Status PlacedInView(const arrow::Status& status, const WindowView& view);

}  // namespace viand::engine
