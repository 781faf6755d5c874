#include "src/common/unnamed_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viand {

arrow::Result<int> OpenUnnamedFile(const std::string& folder) {
  int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    // A file system that has no files without names.
    std::string path = folder + "/.viand-spill.XXXXXX";
    descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor >= 0) ::unlink(path.c_str());
  }
  if (descriptor >= 0) return descriptor;
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("cannot make a temporary file in {}: {}", folder, std::strerror(errno)),
      "name a folder that can be written with --temp-dir");
}

}  // namespace viand
