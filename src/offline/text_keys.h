// Which columns of a table without types, as CSV is, are text because join keys of their name are.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "src/offline/repo_context.h"

namespace arrow {
class DataType;
}

namespace viand::offline {

/// Returns the text join keys of the repo's views and labels, also under the names that feature
/// services map them to, so that 007 stays a text whichever features are looked up. A name that is
/// a text in one view and a number in another is left out, as is a key whose source is not there
/// yet.
std::map<std::string, std::shared_ptr<arrow::DataType>> TextKeys(const RepoContext& context);

}  // namespace viand::offline
