#include "src/definition/definition_files.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <system_error>

#include "src/common/atomic_file.h"
#include "src/common/path_pattern.h"

namespace viand::definition {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfigName = "feature_store.yaml";
constexpr const char* kIgnoreName = ".feastignore";
// A longer file is data in Python's clothes.
constexpr uintmax_t kMaxPythonBytes = 16 << 20;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\f\v";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Calls `take` with each line, its end left out.
template <typename Take>
void ForEachLine(std::string_view text, Take take) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// "viand" or "viand.types", with anything but a letter of a name behind it.
bool NamesViand(std::string_view module) {
  constexpr std::string_view kName = "viand";
  if (!module.starts_with(kName)) return false;
  const char next = module.size() > kName.size() ? module[kName.size()] : ' ';
  return std::isalnum(static_cast<unsigned char>(next)) == 0 && next != '_' && (next & 0x80) == 0;
}

bool IsImportOfViand(std::string_view line) {
  line = Trim(line);
  if (line.starts_with("from ")) return NamesViand(Trim(line.substr(5)));
  if (!line.starts_with("import ")) return false;
  line.remove_prefix(7);
  while (true) {
    const size_t comma = line.find(',');
    if (NamesViand(Trim(line.substr(0, comma)))) return true;
    if (comma == std::string_view::npos) return false;
    line.remove_prefix(comma + 1);
  }
}

bool FitsFrom(std::span<const std::string_view> names, std::span<const std::string> parts) {
  if (parts.empty()) return true;  // the path, or a folder above it
  if (parts.front() == "**") {
    return FitsFrom(names, parts.subspan(1)) ||
           (!names.empty() && FitsFrom(names.subspan(1), parts));
  }
  return !names.empty() &&
         fnmatch(parts.front().c_str(), std::string(names.front()).c_str(), FNM_NOESCAPE) == 0 &&
         FitsFrom(names.subspan(1), parts.subspan(1));
}

/// Folders that hold no definitions of the repo's.
bool IsSkipped(const fs::path& folder, const fs::path& root) {
  const std::string name = folder.filename().string();
  if (name.starts_with('.') || name == "__pycache__" || name == "node_modules") return true;
  std::error_code ignored;
  return (name == "data" && folder.parent_path() == root) ||
         fs::exists(folder / "pyvenv.cfg", ignored);
}

arrow::Status TakeFile(const fs::path& path, const std::string& relative, DefinitionFiles* files) {
  const std::string extension = path.extension().string();
  if (extension == ".yaml" || extension == ".yml") {
    if (path.filename() != kConfigName) files->yaml.push_back(relative);
  } else if (extension == ".py" && path.filename() != "__init__.py") {
    std::error_code error;
    const bool is_file = fs::is_regular_file(path, error);
    if (!is_file || fs::file_size(path, error) > kMaxPythonBytes) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path.string()));
    if (ImportsViand(text)) files->python.push_back(relative);
  }
  return arrow::Status::OK();
}

}  // namespace

bool ImportsViand(std::string_view python) {
  if (python.find("viand") == std::string_view::npos) return false;
  bool found = false;
  ForEachLine(python, [&](std::string_view line) { found = found || IsImportOfViand(line); });
  return found;
}

IgnoredPaths::IgnoredPaths(std::string_view text) {
  ForEachLine(text, [&](std::string_view line) {
    line = Trim(line.substr(0, line.find('#')));
    std::vector<std::string> parts;
    for (std::string_view name : NamesOfPath(line))
      if (name != ".") parts.emplace_back(name);
    if (!parts.empty()) patterns_.push_back(std::move(parts));
  });
}

bool IgnoredPaths::Has(const std::string& path) const {
  const std::vector<std::string_view> names = NamesOfPath(path);
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& parts) { return FitsFrom(names, parts); });
}

arrow::Result<DefinitionFiles> ListDefinitionFiles(const std::string& root) {
  const fs::path folder(root);
  std::error_code error;
  IgnoredPaths ignored;
  if (fs::is_regular_file(folder / kIgnoreName, error)) {
    VIAND_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile((folder / kIgnoreName).string()));
    ignored = IgnoredPaths(text);
  }
  DefinitionFiles files;
  error.clear();
  fs::recursive_directory_iterator walk(folder, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    std::error_code unread;
    const std::string relative = walk->path().lexically_relative(folder).string();
    if (walk->is_directory(unread)) {
      if (IsSkipped(walk->path(), folder) || ignored.Has(relative))
        walk.disable_recursion_pending();
    } else if (!walk->path().filename().string().starts_with('.') && !ignored.Has(relative)) {
      VIAND_RETURN_NOT_OK(TakeFile(walk->path(), relative, &files));
    }
  }
  if (error) {
    return MakeError(ErrorKind::kEnvironment,
                     fmt::format("cannot list the folder {}: {}", root, error.message()));
  }
  std::sort(files.yaml.begin(), files.yaml.end());
  std::sort(files.python.begin(), files.python.end());
  return files;
}

}  // namespace viand::definition
