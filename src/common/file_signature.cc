#include "src/common/file_signature.h"

#include <fstream>

namespace viand {

std::string WhyNotParquet(const std::string& path) {
  constexpr const char* kMark = "PAR1";  // the format's: never change
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size_bytes = file.tellg();
  if (size_bytes == 0) return "it is empty";
  std::string mark(4, '\0');
  file.seekg(0);
  file.read(mark.data(), 4);
  if (file.gcount() < 4 || mark != kMark) return "it does not start with \"PAR1\" as Parquet does";
  file.seekg(-4, std::ios::end);
  file.read(mark.data(), 4);
  return mark == kMark ? "" : "it is cut off: it does not end with \"PAR1\" as Parquet does";
}

}  // namespace viand
