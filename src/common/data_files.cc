#include "src/common/data_files.h"

#include <arrow/filesystem/filesystem.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "src/common/data_location.h"
#include "src/common/path_pattern.h"

namespace viand {
namespace {

using arrow::fs::FileInfo;
using arrow::fs::FileType;

constexpr std::string_view kDataExtensions[] = {".parquet", ".parq", ".pq"};

bool HasDataName(std::string_view name) {
  return std::any_of(std::begin(kDataExtensions), std::end(kDataExtensions),
                     [&](std::string_view extension) { return name.ends_with(extension); });
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// What of a file system's path lies below a folder of it.
std::string_view Below(std::string_view path, std::string_view folder) {
  path.remove_prefix(std::min(folder.size(), path.size()));
  return path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

int64_t NanosOf(arrow::fs::TimePoint time) {
  if (time == arrow::fs::kNoTime) return 0;
  return time.time_since_epoch().count();
}

/// What stores said of their files, by path. Asking again costs a request a file and fragment.
class Memory {
 public:
  std::optional<ListedFile> Find(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return std::nullopt;
    return found->second;
  }
  void Keep(const ListedFile& file) {
    if (!IsRemotePath(file.path)) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    files_[file.path] = file;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, ListedFile> files_;  // guarded by mutex_
};

Memory& Remembered() {
  static Memory memory;
  return memory;
}

class Listing {
 public:
  explicit Listing(const std::string& text) : text_(text), address_(ParseAddress(text)) {}

  arrow::Result<std::vector<ListedFile>> Run() {
    VIAND_ASSIGN_OR_RETURN(location_, LocateData(text_));
    VIAND_RETURN_NOT_OK(Find());
    for (const ListedFile& file : files_) Remembered().Keep(file);
    return std::move(files_);
  }

 private:
  arrow::Status Find() {
    const std::string& path = location_.path;
    // A name with a bracket in it may be just that: what is there comes first.
    const bool pattern = IsPattern(path);
    if (!pattern || !address_.IsRemote()) {
      VIAND_ASSIGN_OR_RETURN(const FileInfo info, InfoOf(path));
      if (info.type() == FileType::File) return Add(info);
      if (info.type() == FileType::Directory) return AddFolder(path);
    }
    if (!pattern) return CheckBucket(text_, "cannot read");
    const std::vector<std::string_view> parts = NamesOfPath(path);
    size_t fixed = 0;
    while (fixed < parts.size() && !IsPattern(parts[fixed])) ++fixed;
    const size_t length = parts[fixed].data() - path.data();
    const std::string folder = path.substr(0, length);
    const std::vector<std::string_view> rest(parts.begin() + fixed, parts.end());
    return address_.IsRemote() ? MatchAll(folder, rest) : MatchLevel(folder, rest);
  }

  arrow::Result<FileInfo> InfoOf(const std::string& path) {
    auto info = location_.filesystem->GetFileInfo(path);
    if (info.ok()) return info;
    return StorageError(info.status(), text_, "");
  }

  arrow::Result<std::vector<FileInfo>> List(const std::string& folder, bool recursive) {
    arrow::fs::FileSelector selector;
    selector.base_dir = folder;
    while (selector.base_dir.size() > 1 && selector.base_dir.ends_with('/'))
      selector.base_dir.pop_back();
    selector.recursive = recursive;
    selector.allow_not_found = true;
    auto found = location_.filesystem->GetFileInfo(selector);
    if (found.ok()) return found;
    return StorageError(found.status(), text_, "");
  }

  arrow::Status Add(const FileInfo& info) {
    std::string path = info.path();
    if (address_.IsRemote()) {
      // An address may name its store otherwise than the store's own paths do.
      const size_t authority = std::min(address_.path.find('/'), address_.path.size());
      const size_t root = location_.path.size() - (address_.path.size() - authority);
      path = address_.TextOf(address_.path.substr(0, authority) + path.substr(root));
    }
    files_.push_back({std::move(path), info.size(), NanosOf(info.mtime())});
    return arrow::Status::OK();
  }

  arrow::Status AddFolder(const std::string& folder) {
    VIAND_ASSIGN_OR_RETURN(const auto found, List(folder, /*recursive=*/true));
    if (found.empty()) return CheckBucket(text_, "cannot read");
    for (const FileInfo& info : found) {
      if (!info.IsFile() || !HasDataName(info.path())) continue;
      const auto names = NamesOfPath(Below(info.path(), folder));
      if (std::any_of(names.begin(), names.end(), IsHiddenName)) continue;
      VIAND_RETURN_NOT_OK(Add(info));
    }
    return arrow::Status::OK();
  }

  /// One listing of all below: a store answers for thousands of keys at a time, whatever their
  /// folders are.
  arrow::Status MatchAll(const std::string& folder, const std::vector<std::string_view>& parts) {
    VIAND_ASSIGN_OR_RETURN(const auto found, List(folder, /*recursive=*/true));
    if (found.empty()) return CheckBucket(text_, "cannot read");
    for (const FileInfo& info : found) {
      if (!info.IsFile()) continue;
      std::vector<std::string_view> names = NamesOfPath(Below(info.path(), folder));
      bool fits = FitsPath(names, parts);
      // Or it lies in a folder that fits, and has a data file's name.
      bool hidden = false;
      while (!fits && !hidden && names.size() > 1 && HasDataName(info.path())) {
        hidden = IsHiddenName(names.back());
        names.pop_back();
        fits = !hidden && FitsPath(names, parts);
      }
      if (fits) VIAND_RETURN_NOT_OK(Add(info));
    }
    return arrow::Status::OK();
  }

  /// Level by level, so that what cannot fit is not walked.
  arrow::Status MatchLevel(const std::string& folder, const std::vector<std::string_view>& parts) {
    if (parts[0] == "**") return MatchAll(folder, parts);
    VIAND_ASSIGN_OR_RETURN(const auto found, List(folder.empty() ? "." : folder, false));
    const bool last = parts.size() == 1;
    for (const FileInfo& info : found) {
      const std::string_view name = BaseName(info.path());
      if (!FitsName(name, parts[0])) continue;
      if (info.IsDirectory()) {
        VIAND_RETURN_NOT_OK(last ? AddFolder(info.path())
                                 : MatchLevel(info.path(), {parts.begin() + 1, parts.end()}));
      } else if (last && info.IsFile()) {
        VIAND_RETURN_NOT_OK(Add(info));
      }
    }
    return arrow::Status::OK();
  }

  const std::string text_;
  const DataAddress address_;
  DataLocation location_;
  std::vector<ListedFile> files_;
};

}  // namespace

arrow::Result<std::vector<ListedFile>> ListDataFiles(const std::string& path) {
  std::vector<std::string> alternatives = ExpandBraces(path);
  std::error_code error;
  // A name with a brace in it may be just that.
  if (alternatives.size() > 1 && std::filesystem::exists(ParseAddress(path).path, error))
    alternatives = {path};
  std::vector<ListedFile> files;
  std::string without;
  for (const std::string& alternative : alternatives) {
    VIAND_ASSIGN_OR_RETURN(auto found, Listing(alternative).Run());
    if (found.empty()) without = alternative;
    files.insert(files.end(), found.begin(), found.end());
  }
  if (!files.empty() && !without.empty()) {
    return MakeError(
        ErrorKind::kInput,
        fmt::format("there is nothing at {}, one of {}", DisplayPath(without), DisplayPath(path)),
        "leave it out of the braces, or bring its files");
  }
  std::sort(files.begin(), files.end(),
            [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
  const auto same = [](const ListedFile& a, const ListedFile& b) { return a.path == b.path; };
  files.erase(std::unique(files.begin(), files.end(), same), files.end());
  return files;
}

std::vector<std::string> PathsOf(const std::vector<ListedFile>& files) {
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (const ListedFile& file : files) paths.push_back(file.path);
  return paths;
}

arrow::Status CheckBucket(const std::string& path, std::string_view doing) {
  if (!IsRemotePath(path)) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const DataLocation location, LocateData(path));
  const std::string bucket = location.path.substr(0, location.path.find('/'));
  if (bucket.empty()) return arrow::Status::OK();
  const auto info = location.filesystem->GetFileInfo(bucket);
  // Who may only write keys may not look at the bucket.
  const bool refused =
      !info.ok() && info.status().message().find("ACCESS_DENIED") != std::string::npos;
  if (refused && doing == "cannot write") return arrow::Status::OK();
  if (!info.ok()) return StorageError(info.status(), path, "", "", doing);
  if (info->type() != FileType::NotFound) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("{} {}: there is no bucket \"{}\"", doing, DisplayPath(path), bucket),
      "check the bucket's name, and AWS_ENDPOINT_URL or the source's s3_endpoint_override");
}

arrow::Result<ListedFile> FindDataFile(const std::string& path, const std::string& prefix) {
  VIAND_ASSIGN_OR_RETURN(const DataLocation location, LocateData(path));
  const auto info = location.filesystem->GetFileInfo(location.path);
  if (!info.ok()) return StorageError(info.status(), path, prefix);
  if (info->type() == FileType::NotFound) {
    VIAND_RETURN_NOT_OK(CheckBucket(path, "cannot read"));
    return MakeError(
        ErrorKind::kInput,
        fmt::format("{}{}no such file: {}", prefix, prefix.empty() ? "" : ": ", DisplayPath(path)),
        "it must be there before it can be read: run the step that makes it");
  }
  const ListedFile file{path, info->size(), NanosOf(info->mtime())};
  Remembered().Keep(file);
  return file;
}

arrow::Result<ListedFile> KnownDataFile(const std::string& path, const std::string& prefix) {
  if (IsRemotePath(path)) {
    if (auto known = Remembered().Find(path)) return *std::move(known);
  }
  return FindDataFile(path, prefix);
}

}  // namespace viand
