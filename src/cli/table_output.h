// The first rows of a table of the API on the screen.
#pragma once

#include <cstdint>
#include <string>

#include "src/cli/terminal.h"
#include "viand/table.h"

namespace viand::cli {

/// Rows of a table that people are shown.
inline constexpr int64_t kHeadRows = 5;

/// The first kHeadRows, for people.
Result<std::string> HeadOfTable(Table table, const Terminal& terminal);

}  // namespace viand::cli
