#include "src/common/memory_size.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

namespace viand {
namespace {

constexpr double kMostBytes = 1e18;

std::optional<double> BytesOfUnit(std::string unit) {
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static const std::map<std::string, double> units = {
      {"", 1},         {"b", 1},        {"kb", 1e3},     {"mb", 1e6},     {"gb", 1e9},
      {"tb", 1e12},    {"k", 0x1p10},   {"m", 0x1p20},   {"g", 0x1p30},   {"t", 0x1p40},
      {"kib", 0x1p10}, {"mib", 0x1p20}, {"gib", 0x1p30}, {"tib", 0x1p40},
  };
  const auto found = units.find(unit);
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\n") - first + 1));
}

arrow::Status NoAmount(std::string_view text) {
  return MakeError(ErrorKind::kUsage, fmt::format("--memory \"{}\" is no amount of memory", text),
                   "write 512MB, 2GiB, 60% (of the memory that there is) or a number of bytes");
}

std::optional<int64_t> ReadLimit(const std::string& path) {
  std::ifstream file(path);
  int64_t bytes = 0;
  // "max", and in v1 a number beyond every memory, say that there is none.
  if (!(file >> bytes) || bytes <= 0) return std::nullopt;
  return bytes;
}

/// The least limit of a group and of those that it is in.
int64_t LeastLimit(const std::string& mount, std::string group, const char* file) {
  int64_t least = std::numeric_limits<int64_t>::max();
  while (true) {
    least = std::min(least, ReadLimit(mount + group + "/" + file).value_or(least));
    const size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return least;
    group.resize(slash);
  }
}

int64_t CgroupLimit(const std::string& root) {
  int64_t least = std::numeric_limits<int64_t>::max();
  std::ifstream groups(root + "/proc/self/cgroup");
  // hierarchy:controllers:/group, where version 2 has no controllers
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    if (controllers == ",,")
      least = std::min(least, LeastLimit(root + "/sys/fs/cgroup", group, "memory.max"));
    else if (controllers.find(",memory,") != std::string::npos)
      least = std::min(least,
                       LeastLimit(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

int64_t MachineMemory(const std::string& root) {
  std::ifstream info(root + "/proc/meminfo");
  std::string name;
  int64_t kib = 0;
  if (info >> name >> kib && name == "MemTotal:" && kib > 0) return kib * 1024;
  return int64_t{4} << 30;  // unknown: what any machine of today has
}

}  // namespace

arrow::Result<int64_t> ParseMemorySize(std::string_view text, int64_t available_bytes) {
  const std::string trimmed = Trimmed(text);
  double number = kDefaultMemoryPercent;
  std::string unit = "%";
  if (!trimmed.empty()) {
    const char* end = trimmed.data() + trimmed.size();
    const auto parsed = std::from_chars(trimmed.data(), end, number, std::chars_format::fixed);
    if (parsed.ec != std::errc()) return NoAmount(text);
    unit = Trimmed({parsed.ptr, static_cast<size_t>(end - parsed.ptr)});
  }
  double bytes = 0;
  if (unit == "%") {
    if (number > 100) return NoAmount(text);
    bytes = number / 100 * static_cast<double>(available_bytes);
  } else {
    const std::optional<double> of_unit = BytesOfUnit(unit);
    if (!of_unit) return NoAmount(text);
    bytes = number * *of_unit;
  }
  if (!(bytes >= 0) || bytes > kMostBytes) return NoAmount(text);
  if (trimmed.empty()) bytes = std::max(bytes, static_cast<double>(kLeastMemoryBytes));
  if (bytes < static_cast<double>(kLeastMemoryBytes)) {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("--memory {} is {} bytes: too little to work with", trimmed,
                                 static_cast<int64_t>(bytes)),
                     fmt::format("give at least {}MB", kLeastMemoryBytes / 1'000'000));
  }
  return static_cast<int64_t>(bytes);
}

int64_t AvailableMemoryBytes(const std::string& root) {
  return std::min(MachineMemory(root), CgroupLimit(root));
}

int64_t AnonymousMemoryBytes() {
  static const int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  std::ifstream stream("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  int64_t of_files = 0;
  if (!(stream >> all >> resident >> of_files)) return 0;
  return (resident - of_files) * page_bytes;
}

}  // namespace viand
