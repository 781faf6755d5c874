#include "src/registry/side_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/common/atomic_file.h"
#include "src/common/sha256.h"

namespace viand::registry {
namespace {

constexpr char kMark[] = ".viand.";
constexpr size_t kHashLength = 64;
constexpr int64_t kMaxBytes = int64_t{1} << 31;
// The head of the file, a line; what follows is the image. On disk: never change.
constexpr char kFormat[] = "viand registry 1";

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsUuid(const std::string& text) {
  if (text.size() != 36 || text[14] != '4') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !IsHex(text.substr(i, 1))) return false;
  }
  return true;
}

arrow::Status Damaged(const std::string& path) {
  return MakeError(ErrorKind::kRegistry, fmt::format("{} is damaged", path),
                   "restore it and the registry file from a copy");
}

// Everything that a flipped byte could change.
std::string HashOf(const SideFile& side) {
  return Sha256Hex(fmt::format("{} {} {} {}", side.stamp.version_id, side.stamp.last_updated_ns,
                               side.stamp.sequence, Sha256Hex(side.image)));
}

}  // namespace

std::string SidePath(const std::string& registry_path, const std::string& sha256) {
  return registry_path + kMark + sha256;
}

std::vector<std::string> SidePaths(const std::string& registry_path) {
  namespace fs = std::filesystem;
  const fs::path path(registry_path);
  const std::string prefix = path.filename().string() + kMark;
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() == prefix.size() + kHashLength && name.starts_with(prefix) &&
        IsHex(std::string_view(name).substr(prefix.size())))
      found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

arrow::Status WriteSideFile(const std::string& path, const SideFile& side) {
  const nlohmann::json head = {{"format", kFormat},
                               {"last_updated_ns", side.stamp.last_updated_ns},
                               {"sequence", side.stamp.sequence},
                               {"sha256", HashOf(side)},
                               {"version_id", side.stamp.version_id}};
  VIAND_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  VIAND_RETURN_NOT_OK(WriteFile(file.temporary_path(), head.dump() + "\n" + side.image));
  return file.Commit();
}

arrow::Result<SideFile> ReadSideFile(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(std::string bytes, ReadWholeFile(path, kMaxBytes));
  const size_t end = bytes.find('\n');
  if (end == std::string::npos) return Damaged(path);
  const auto head = nlohmann::json::parse(bytes.begin(), bytes.begin() + end, nullptr, false);
  const auto has = [&head](const char* key, auto is) {
    return head.contains(key) && (head[key].*is)();
  };
  using nlohmann::json;
  if (!head.is_object() || !has("format", &json::is_string) ||
      !has("sequence", &json::is_number_unsigned) || !has("sha256", &json::is_string) ||
      !has("last_updated_ns", &json::is_number_integer) || !has("version_id", &json::is_string))
    return Damaged(path);
  SideFile side;
  side.stamp = {head["version_id"], head["last_updated_ns"], head["sequence"]};
  side.image = bytes.substr(end + 1);
  if (head["sha256"] != HashOf(side)) return Damaged(path);
  if (head["format"] != kFormat)
    return MakeError(ErrorKind::kRegistry,
                     fmt::format("{} was written by a newer viand: its format is \"{}\", this one "
                                 "knows \"{}\"",
                                 path, Printable(head["format"].get<std::string>()), kFormat),
                     "update viand");
  return side;
}

bool WrittenByAnother(const FileStamp& stamp, const FileStamp& last) {
  if (!IsUuid(stamp.version_id) || stamp.last_updated_ns == last.last_updated_ns) return false;
  int different = 0;
  for (size_t i = 0; i < stamp.version_id.size(); ++i)
    different += i >= last.version_id.size() || stamp.version_id[i] != last.version_id[i] ? 1 : 0;
  // Of 32 random digits of two UUIDs two are equal; half of them never are.
  return different >= 12;
}

}  // namespace viand::registry
