// Patterns of paths: * and ? within a folder's name, [..] and [!..] one of some characters, ** any
// folders, {a,b} one of some texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace viand {

/// Tells whether a path has a character that makes it a pattern.
bool IsPattern(std::string_view path);

/// Tells whether one name (no /) fits one part of a pattern. A name that starts with a dot or an
/// underscore, which hides it, fits only a part that starts alike. A [ that nothing closes is
/// itself.
bool FitsName(std::string_view name, std::string_view part);

/// Tells whether the names of a path fit the parts of a pattern one by one; ** fits any number of
/// names that nothing hides.
bool FitsPath(const std::vector<std::string_view>& names,
              const std::vector<std::string_view>& parts);

/// Returns the paths that {a,b} stands for, the first brace first; one without a comma or an end is
/// itself. Braces may stand within braces.
std::vector<std::string> ExpandBraces(const std::string& path);

/// Cuts at /; empty names go.
std::vector<std::string_view> NamesOfPath(std::string_view path);

/// Tells whether data files under this name are left out of folders: .hidden, _SUCCESS.
inline bool IsHiddenName(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_');
}

}  // namespace viand
