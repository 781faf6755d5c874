// Views and labels over their base rows: windows, conditions, features, typed.
#pragma once

#include "src/definition/base_rows.h"

namespace viand::definition {

/// Binds a view; errors are added, and a view with errors has no `output`.
BoundView BindView(const FeatureView& view, const Definitions& definitions,
                   const BaseRowsFinder& base_rows, ErrorList* errors);

/// Binds labels, as BindView.
BoundView BindLabels(const Labels& labels, const Definitions& definitions,
                     const BaseRowsFinder& base_rows, ErrorList* errors);

}  // namespace viand::definition
