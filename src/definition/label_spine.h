// Labels over the rows of a file: the columns that the file must have.
#pragma once

#include "src/definition/error_list.h"
#include "src/definition/validation.h"

namespace viand::definition {

/// Checks that the spine of labels has their join keys and its time, where the file exists. Labels
/// over a population pass.
void CheckLabelSpine(const BoundView& labels, const FilesOnDisk& files, ErrorList* errors);

}  // namespace viand::definition
