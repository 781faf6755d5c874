#include "src/definition/versioned_name.h"

#include <fmt/format.h>

#include <charconv>

namespace viand::definition {

std::string VersionedName::Text() const {
  return version ? fmt::format("{}@v{}", name, *version) : name;
}

arrow::Result<VersionedName> ParseVersionedName(const std::string& text) {
  const size_t at = text.find('@');
  VersionedName result{text.substr(0, at), std::nullopt};
  if (at == std::string::npos) return result;
  const std::string version = text.substr(at + 1);
  if (version == "latest") return result;
  const bool letter = version.starts_with('v') || version.starts_with('V');
  const char* first = version.data() + (letter ? 1 : 0);
  const char* last = version.data() + version.size();
  int32_t number = 0;
  const auto [end, error] = std::from_chars(first, last, number);
  if (error == std::errc() && end == last && number >= 0 && !result.name.empty()) {
    result.version = number;
    return result;
  }
  return MakeError(ErrorKind::kUsage, fmt::format("\"{}\" names no version", text),
                   fmt::format("write {}@v0, or {} for what is applied now",
                               result.name.empty() ? "NAME" : result.name,
                               result.name.empty() ? "NAME" : result.name));
}

}  // namespace viand::definition
