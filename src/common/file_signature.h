// What a file is by its first and last bytes, whatever its name says.
#pragma once

#include <string>

namespace viand {

/// Returns why a file cannot be Parquet, as "it is empty" or "it does not start with \"PAR1\" ...";
/// empty where it starts and ends as Parquet does, or cannot be read at all.
std::string WhyNotParquet(const std::string& path);

}  // namespace viand
