// Amounts of memory as people write them, and how much there is.
//
//   VIAND_ASSIGN_OR_RETURN(const int64_t bytes, ParseMemorySize("512MB", AvailableMemoryBytes()));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand {

/// The least budget that a process takes: what reading row groups of a million rows takes, and
/// some.
inline constexpr int64_t kLeastMemoryBytes = 256'000'000;
/// The share of the available memory that is the budget where none is given, percent.
inline constexpr int kDefaultMemoryPercent = 60;

/// Reads "512MB" (powers of 1000), "2GiB", "2G" (of 1024), "1073741824" (bytes) or "60%" of
/// `available_bytes`; empty is the default share. kUsage, naming `--memory`, for anything else and
/// for less than the least.
arrow::Result<int64_t> ParseMemorySize(std::string_view text, int64_t available_bytes);

/// The machine's memory or the limit of a cgroup (v1 or v2) that the process is in, whichever is
/// less, in bytes. `root` stands before /proc and /sys: for tests.
int64_t AvailableMemoryBytes(const std::string& root = "");

/// What this process takes of it now, pages of files aside; 0 where the system does not say.
int64_t AnonymousMemoryBytes();

}  // namespace viand
