// The files that a dataset names.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "src/common/data_location.h"
#include "src/ingest/ingest.h"

namespace viand::ingest {
namespace {

bool IsPattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

arrow::Result<std::vector<std::string>> Expand(const definition::Reference& path,
                                               const std::string& absolute) {
  std::error_code error;
  // A file may have a bracket in its name.
  if (!IsPattern(absolute) || std::filesystem::exists(absolute, error)) {
    if (std::filesystem::exists(absolute, error)) return std::vector<std::string>{absolute};
    return ErrorAt(path.where, ErrorKind::kInput, fmt::format("there is no file {}", absolute),
                   "paths are relative to the repo");
  }
  glob_t found = {};
  const int code = ::glob(absolute.c_str(), 0, nullptr, &found);
  std::vector<std::string> files;
  if (code == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (files.empty()) {
    return ErrorAt(path.where, ErrorKind::kInput, fmt::format("no file matches {}", absolute),
                   "paths are relative to the repo");
  }
  return files;
}

}  // namespace

arrow::Result<std::vector<std::string>> InputFiles(const definition::Dataset& dataset,
                                                   const std::string& root) {
  std::vector<std::string> files;
  for (const definition::Reference& path : dataset.from.paths) {
    if (IsRemotePath(path.name)) {
      return ErrorAt(
          path.where, ErrorKind::kDefinition,
          fmt::format("dataset \"{}\" reads {}, and a dataset reads files of this machine",
                      dataset.name, DisplayPath(path.name)),
          "copy it here; Parquet that needs no cleaning is a source's path");
    }
    const std::filesystem::path joined = std::filesystem::path(root) / path.name;
    std::error_code error;
    const std::string absolute =
        std::filesystem::absolute(joined, error).lexically_normal().string();
    VIAND_ASSIGN_OR_RETURN(const std::vector<std::string> expanded, Expand(path, absolute));
    files.insert(files.end(), expanded.begin(), expanded.end());
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  if (files.empty()) {
    return ErrorAt(dataset.where, ErrorKind::kDefinition,
                   fmt::format("dataset \"{}\" names no file", dataset.name));
  }
  return files;
}

}  // namespace viand::ingest
