#include "src/store/init_repo.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "src/common/atomic_file.h"

namespace viand::store {
namespace {

namespace fs = std::filesystem;

/// The folder of the binary (program or shared library) that this code is in.
fs::path OwnFolder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<void*>(&OwnFolder), &info) != 0 && info.dli_fname != nullptr) {
    std::error_code error;
    const fs::path real = fs::canonical(info.dli_fname, error);
    if (!error) return real.parent_path();
  }
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

/// Installed (bin/.., lib/..) or in the build tree.
fs::path TemplatesFolder() {
  const fs::path own = OwnFolder();
  for (const char* relative :
       {"share/viand/templates", "../share/viand/templates", "../../share/viand/templates"}) {
    fs::path candidate = own / relative;
    if (fs::is_directory(candidate)) return candidate;
  }
  return {};
}

}  // namespace

std::vector<std::string> TemplateNames() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(TemplatesFolder(), error)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool TemplateHas(const std::string& template_name, const std::string& file) {
  std::error_code error;
  return fs::exists(TemplatesFolder() / template_name / file, error);
}

arrow::Status CopyTemplate(const std::string& folder, const std::string& template_name) {
  const fs::path source = TemplatesFolder() / template_name;
  if (TemplatesFolder().empty() || !fs::is_directory(source)) {
    if (TemplateNames().empty()) {
      return MakeError(ErrorKind::kEnvironment,
                       fmt::format("no templates are installed with {}", OwnFolder().string()),
                       "install viand whole: they belong into share/viand/templates");
    }
    return MakeError(ErrorKind::kNotFound, fmt::format("unknown template \"{}\"", template_name),
                     NearestOrAll(template_name, TemplateNames(), "the templates are "));
  }
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    return MakeError(ErrorKind::kUsage, fmt::format("{} exists and is no folder", folder),
                     "name a new folder");
  }
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return MakeError(ErrorKind::kUsage, fmt::format("{} exists and is not empty", folder),
                     "name a new folder; viand init overwrites nothing");
  }
  ARROW_RETURN_NOT_OK(MakeFolders(folder));
  fs::copy(source, folder, fs::copy_options::recursive, error);
  if (error) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot copy the template to {}: {}", folder, error.message()),
                     "check that the folder is writable");
  }
  return arrow::Status::OK();
}

}  // namespace viand::store
