// What a file holds, as a short text that changes whenever its bytes do.
#pragma once

#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand {

/// Returns 64 hex digits: of a local file the SHA-256 of its bytes; of a file in a store one of its
/// size and its entity tag (where the store has none, of the time of its last change), since
/// reading it all would cost what freshness is to save. Fails where it cannot be read.
arrow::Result<std::string> ContentIdentity(const std::string& path);

/// The same of many files, several at a time.
arrow::Result<std::vector<std::string>> ContentIdentities(const std::vector<std::string>& paths);

}  // namespace viand
