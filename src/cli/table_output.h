// A table of the API -> a file, standard output, or its first rows on the screen.
#pragma once

#include <string>

#include "src/cli/terminal.h"
#include "viand/table.h"

namespace viand::cli {

struct WrittenTable {
  int64_t rows = 0;
  int64_t columns = 0;
};

/// Checks, before anything is computed, that WriteTable can write to `output`.
Status CheckOutput(const std::string& output);

/// Writes to `output`: by extension Parquet (.parquet), CSV (.csv), Arrow IPC (.arrow, .feather,
/// .ipc); "-" is standard output, in `format`: csv (or empty), json, arrow, parquet. Files appear
/// whole or not at all.
Result<WrittenTable> WriteTable(Table table, const std::string& output, const std::string& format);

/// The first rows, for people.
Result<std::string> HeadOfTable(Table table, int64_t rows, const Terminal& terminal);

}  // namespace viand::cli
