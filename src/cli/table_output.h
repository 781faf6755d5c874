// The first rows of a table of the API on the screen.
#pragma once

#include <string>

#include "src/cli/terminal.h"
#include "viand/table.h"

namespace viand::cli {

/// The first rows, for people.
Result<std::string> HeadOfTable(Table table, int64_t rows, const Terminal& terminal);

}  // namespace viand::cli
