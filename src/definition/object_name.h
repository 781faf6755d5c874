// What an object or a column may be called.
#pragma once

#include <string_view>

#include "src/common/error.h"

namespace viand::definition {

/// Checks the name of an object: letters, digits, '_', '-' and '.', not starting with '-' or '.',
/// at most 255 bytes. Such a name is a file name, a registry key, and reads unambiguously in
/// "view:feature" and "view@v2".
arrow::Status CheckObjectName(std::string_view name, const SourceLocation& where);

/// Checks the name of a feature or column: not empty, at most 255 bytes, no ':', '@' or control
/// character.
arrow::Status CheckColumnName(std::string_view name, const SourceLocation& where);

/// Checks the name of a project as Feast does: letters, digits, '_' and '-', not starting with '_'
/// or '-'.
arrow::Status CheckProjectName(std::string_view name, const SourceLocation& where);

}  // namespace viand::definition
