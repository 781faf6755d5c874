#include "src/offline/repo_layout.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>

namespace viand::offline {

namespace fs = std::filesystem;

std::string AbsolutePath(const std::string& root, const std::string& path) {
  constexpr std::string_view kScheme = "file://";
  const fs::path given(path.starts_with(kScheme) ? path.substr(kScheme.size()) : path);
  return (given.is_absolute() ? given : fs::path(root) / given).lexically_normal().string();
}

std::string RelativePath(const std::string& root, const std::string& path) {
  const std::string prefix = root + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

std::string ViewFolder(const std::string& root, const std::string& view) {
  return root + "/data/offline/" + view;
}

std::string ModelPath(const std::string& root, const std::string& model) {
  return root + "/data/models/" + model + ".json";
}

std::string ModelManifestPath(const std::string& root, const std::string& model) {
  return root + "/data/models/" + model + ".manifest.json";
}

std::string PredictionsPath(const std::string& root, const std::string& model) {
  return root + "/data/predictions/" + model + ".parquet";
}

std::string DatasetManifestPath(const std::string& output_path) {
  return output_path + ".manifest.json";
}

arrow::Result<std::vector<std::string>> ExpandParquetPath(const std::string& absolute_path) {
  std::vector<std::string> files;
  std::error_code error;
  if (fs::is_directory(absolute_path, error)) {
    for (const auto& entry : fs::recursive_directory_iterator(absolute_path, error)) {
      if (entry.is_regular_file() && entry.path().extension() == ".parquet")
        files.push_back(entry.path());
    }
    if (error) {
      return MakeError(ErrorKind::kEnvironment,
                       "cannot read folder " + absolute_path + ": " + error.message());
    }
  } else {
    glob_t matches = {};
    if (glob(absolute_path.c_str(), 0, nullptr, &matches) == 0) {
      files.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    }
    globfree(&matches);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace viand::offline
