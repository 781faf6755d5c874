// Counts as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace viand {

/// Prints 1234567 as "1,234,567".
std::string Grouped(int64_t count);

/// Prints "1 row", "1,234 rows".
inline std::string Counted(int64_t count, const std::string& singular) {
  return Grouped(count) + " " + singular + (count == 1 ? "" : "s");
}

}  // namespace viand
