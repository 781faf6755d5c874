#include "src/common/path_pattern.h"

#include <algorithm>

namespace viand {
namespace {

/// Matches one character against the class that starts behind the [ of `part`; returns the
/// class's length with its ], or 0 where nothing closes it.
size_t FitClass(char c, std::string_view part, bool* fits) {
  size_t at = 0;
  const bool negated = !part.empty() && (part[0] == '!' || part[0] == '^');
  if (negated) ++at;
  bool found = false;
  for (const size_t first = at; at < part.size(); ++at) {
    // A ] right at the start is one of the characters.
    if (part[at] == ']' && at > first) {
      *fits = found != negated;
      return at + 1;
    }
    if (at + 2 < part.size() && part[at + 1] == '-' && part[at + 2] != ']') {
      found = found || (part[at] <= c && c <= part[at + 2]);
      at += 2;
    } else {
      found = found || part[at] == c;
    }
  }
  return 0;
}

/// Matches one character against the start of `part`; returns how much of `part` it used, or 0.
size_t FitOne(char c, std::string_view part) {
  if (part.empty()) return 0;
  if (part[0] == '?') return 1;
  if (part[0] == '[') {
    bool fits = false;
    const size_t length = FitClass(c, part.substr(1), &fits);
    if (length > 0) return fits ? length + 1 : 0;
  }
  return part[0] == c ? 1 : 0;
}

bool FitsFrom(const std::vector<std::string_view>& names, size_t name,
              const std::vector<std::string_view>& parts, size_t part) {
  for (; part < parts.size(); ++part, ++name) {
    if (parts[part] == "**") {
      for (size_t skipped = name; skipped <= names.size(); ++skipped) {
        if (FitsFrom(names, skipped, parts, part + 1)) return true;
        if (skipped < names.size() && IsHiddenName(names[skipped])) return false;
      }
      return false;
    }
    if (name >= names.size() || !FitsName(names[name], parts[part])) return false;
  }
  return name == names.size();
}

}  // namespace

std::vector<std::string> ExpandBraces(const std::string& path) {
  for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    // Where each alternative starts, and the end of the last.
    std::vector<size_t> cuts = {open};
    int depth = 0;
    size_t at = open;
    for (; at < path.size(); ++at) {
      if (path[at] == '{') ++depth;
      if (path[at] == ',' && depth == 1) cuts.push_back(at);
      if (path[at] == '}' && --depth == 0) break;
    }
    if (at == path.size() || cuts.size() == 1) continue;
    cuts.push_back(at);
    std::vector<std::string> paths;
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      const std::string middle = path.substr(cuts[i] + 1, cuts[i + 1] - cuts[i] - 1);
      for (std::string& one : ExpandBraces(path.substr(0, open) + middle + path.substr(at + 1)))
        paths.push_back(std::move(one));
    }
    return paths;
  }
  return {path};
}

bool IsPattern(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

bool FitsName(std::string_view name, std::string_view part) {
  if (IsHiddenName(name) && (part.empty() || part[0] != name[0])) return false;
  // The last * and what it had taken: on a mismatch it takes one more.
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  size_t at = 0;
  size_t in_part = 0;
  while (at < name.size()) {
    if (in_part < part.size() && part[in_part] == '*') {
      star = ++in_part;
      star_name = at;
      continue;
    }
    if (const size_t used = FitOne(name[at], part.substr(in_part)); used > 0) {
      in_part += used;
      ++at;
    } else if (star != std::string_view::npos) {
      in_part = star;
      at = ++star_name;
    } else {
      return false;
    }
  }
  return part.find_first_not_of('*', in_part) == std::string_view::npos;
}

bool FitsPath(const std::vector<std::string_view>& names,
              const std::vector<std::string_view>& parts) {
  return FitsFrom(names, 0, parts, 0);
}

std::vector<std::string_view> NamesOfPath(std::string_view path) {
  std::vector<std::string_view> names;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    if (end > start) names.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return names;
}

}  // namespace viand
