#include "src/definition/environment_variables.h"

#include <algorithm>
#include <cstdlib>

namespace viand::definition {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string ExpandEnvironmentVariables(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const size_t dollar = std::min(text.find('$', i), text.size());
    result += text.substr(i, dollar - i);
    if (dollar == text.size()) break;
    const bool braced = dollar + 1 < text.size() && text[dollar + 1] == '{';
    const size_t start = dollar + (braced ? 2 : 1);
    size_t end = start;
    if (braced) {
      end = text.find('}', start);
    } else {
      while (end < text.size() && IsNameByte(text[end])) ++end;
    }
    if (end == std::string_view::npos || end == start) {
      result += '$';
      i = dollar + 1;
      continue;
    }
    const std::string name(text.substr(start, end - start));
    const size_t after = end + (braced ? 1 : 0);
    const char* value = std::getenv(name.c_str());
    result += value != nullptr ? std::string_view(value) : text.substr(dollar, after - dollar);
    i = after;
  }
  return result;
}

}  // namespace viand::definition
