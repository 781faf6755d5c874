#include "src/definition/object_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace viand::definition {
namespace {

// Feast's SQL registry keys are VARCHAR(255); a file name has the same bound.
constexpr size_t kMaxNameBytes = 255;

bool IsAsciiWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

arrow::Status CheckLength(std::string_view name, const SourceLocation& where) {
  if (name.empty())
    return ErrorAt(where, ErrorKind::kDefinition, "expected a name, got an empty text");
  if (name.size() <= kMaxNameBytes) return arrow::Status::OK();
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("the name \"{}...\" has {} bytes, expected at most {}",
                             std::string(name.substr(0, 20)), name.size(), kMaxNameBytes));
}

}  // namespace

arrow::Status CheckObjectName(std::string_view name, const SourceLocation& where) {
  VIAND_RETURN_NOT_OK(CheckLength(name, where));
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return IsAsciiWord(c) || c == '-' || c == '.' || (c & 0x80) != 0;
  });
  if (letters && name[0] != '-' && name[0] != '.') return arrow::Status::OK();
  return ErrorAt(
      where, ErrorKind::kDefinition, fmt::format("\"{}\" is not a name", name),
      "write letters, digits, \"_\", \"-\" and \".\", starting with none of the last two");
}

arrow::Status CheckColumnName(std::string_view name, const SourceLocation& where) {
  VIAND_RETURN_NOT_OK(CheckLength(name, where));
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return c == ':' || c == '@' || (c >= 0 && c < 0x20);
  });
  if (plain) return arrow::Status::OK();
  return ErrorAt(where, ErrorKind::kDefinition,
                 fmt::format("\"{}\" is not a name of a column", name),
                 "\":\" and \"@\" have a meaning in \"view:feature\" and \"view@v2\"");
}

arrow::Status CheckProjectName(std::string_view name, const SourceLocation& where) {
  VIAND_RETURN_NOT_OK(CheckLength(name, where));
  const bool letters =
      std::all_of(name.begin(), name.end(), [](char c) { return IsAsciiWord(c) || c == '-'; });
  if (letters && name[0] != '_' && name[0] != '-') return arrow::Status::OK();
  return ErrorAt(
      where, ErrorKind::kDefinition, fmt::format("\"{}\" is not a name of a project", name),
      "write letters, digits, \"_\" and \"-\", starting with a letter or a digit, as Feast asks");
}

}  // namespace viand::definition
