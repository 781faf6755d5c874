// A result as a folder of Parquet parts, which fragments write: `historical -o FOLDER/`.
#pragma once

#include <cstdint>
#include <string>

#include "src/engine/execute.h"
#include "src/engine/plan.h"

namespace viand::store {

/// Tells whether an output names a folder: it ends in a slash, or is one and has no ending of a
/// file.
bool IsResultFolder(const std::string& output);

/// Checks, before anything is computed, that WriteResultFolder can put a folder at `output`: there
/// is nothing, an empty folder, or a result that it takes the place of. kUsage.
arrow::Status CheckResultFolder(const std::string& output);

/// Retrieves to part-00000.parquet, part-00001.parquet ... of the folder `output`, relative to the
/// current one: in order of their names they have the spine's rows. The folder appears whole, by
/// one rename. Returns the number of rows, and of columns.
struct ResultSize {
  int64_t rows = 0;
  int64_t columns = 0;
};
arrow::Result<ResultSize> WriteResultFolder(const engine::RetrievalPlan& plan,
                                            const std::string& output,
                                            const engine::ExecuteOptions& options);

/// The output without slashes behind it.
std::string WithoutSlash(std::string output);

/// Tells whether a name is one of a part: part-00000.parquet.
bool IsPartName(const std::string& name);

}  // namespace viand::store
