// Datasets: declared raw types, expressions over raw columns, the output's schema.
#pragma once

#include "src/definition/error_list.h"
#include "src/definition/validation.h"

namespace viand::definition {

/// Binds what the declared types allow; `raw` and `output` stay null where an undeclared column is
/// used, or all columns are taken as they are: then `foreseen` has what the types and `header`
/// tell. `header`: the raw files' columns, types unknown or not; null: not known.
BoundDataset BindDeclared(const Dataset& dataset, const std::shared_ptr<arrow::Schema>& header,
                          ErrorList* errors);

}  // namespace viand::definition
