// Counts as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace viand {

/// Prints 1234567 as "1,234,567".
std::string Grouped(int64_t count);

}  // namespace viand
