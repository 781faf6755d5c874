#include "src/offline/repo_layout.h"

#include <filesystem>

#include "src/common/data_location.h"

namespace viand::offline {

namespace fs = std::filesystem;

std::string AbsolutePath(const std::string& root, const std::string& path) {
  const DataAddress address = ParseAddress(path);
  if (address.IsRemote()) return path;
  const fs::path given(address.path);
  return (given.is_absolute() ? given : fs::path(root) / given).lexically_normal().string();
}

std::string RelativePath(const std::string& root, const std::string& path) {
  const std::string prefix = root + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

std::string ViewFolder(const std::string& root, const std::string& view) {
  return root + "/data/offline/" + view;
}

std::string RowsFolder(const std::string& root, const definition::FeatureView& view) {
  return ViewFolder(root, view.rows_of.empty() ? view.name : view.rows_of);
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

}  // namespace viand::offline
