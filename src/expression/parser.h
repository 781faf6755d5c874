// SQL expression text -> syntax tree. Knows no columns, no types, no functions: binder.h does.
#pragma once

#include <memory>
#include <string_view>

#include "src/common/error.h"

namespace viand::expression {

struct Syntax;  // syntax.h
using SyntaxPtr = std::shared_ptr<const Syntax>;

/// Parses one expression. `where` is the place of the text's first character; errors and nodes
/// carry places computed from it. Limits: text of 64 KiB, nesting of 200.
arrow::Result<SyntaxPtr> Parse(std::string_view text, const SourceLocation& where = {});

}  // namespace viand::expression
